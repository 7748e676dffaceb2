#include <algorithm>

#include "fhirpath/ast.h"
#include "fhirpath/lexer.h"
#include "fhirpath/regex.h"

namespace porta::fhirpath {
namespace {

constexpr int kMaxDepth = 200;    // a mapping needs ten; the fuzzer tries thousands
constexpr int kMaxHeight = 1000;  // `a.b.c`, `a + b + c`: each one above the last, and whoever walks the tree recurses

bool calendarWord(std::string_view w) {
    if (!w.empty() && w.back() == 's') w.remove_suffix(1);
    return w == "year" || w == "month" || w == "week" || w == "day" || w == "hour" || w == "minute" || w == "second" ||
           w == "millisecond";
}

struct Binary {
    std::string_view symbol;
    Op op;
    int level;
};
/// Levels of the normative grammar, loosest first; `is` and `as` stand between 8 (+ -) and 6 (|).
constexpr Binary kBinary[] = {
    {"implies", Op::implies, 0}, {"or", Op::logic_or, 1},
    {"xor", Op::logic_xor, 1},   {"and", Op::logic_and, 2},
    {"in", Op::in, 3},           {"contains", Op::contains, 3},
    {"=", Op::equal, 4},         {"!=", Op::not_equal, 4},
    {"~", Op::equivalent, 4},    {"!~", Op::not_equivalent, 4},
    {"<", Op::less, 5},          {"<=", Op::less_equal, 5},
    {">", Op::greater, 5},       {">=", Op::greater_equal, 5},
    {"|", Op::unite, 6},         {"is", Op::is, 7},
    {"as", Op::as, 7},           {"+", Op::add, 8},
    {"-", Op::subtract, 8},      {"&", Op::concat, 8},
    {"*", Op::multiply, 9},      {"/", Op::divide, 9},
    {"div", Op::div, 9},         {"mod", Op::mod, 9},
};

bool takesType(Fn fn) { return fn == Fn::of_type || fn == Fn::is || fn == Fn::as; }

struct Parser {
    const Options& options;
    std::vector<Token> tokens;
    Ast ast;
    std::size_t at = 0;
    int depth = 0;
    std::vector<int> heights = {};  ///< of the nodes, in their order
    std::string problem = {};
    std::uint32_t where = 0;

    const Token& token() const { return tokens[at]; }
    bool take(std::string_view t) { return token().is(t) && (++at, true); }
    std::uint32_t bad(std::string what, std::uint32_t offset) {
        if (problem.empty()) {
            problem = std::move(what);
            where = offset;
        }
        return kNone;
    }
    std::uint32_t push(AstNode n) {
        int height = n.focus == kNone ? 0 : heights[n.focus];
        for (std::uint32_t i = 0; i < n.count; ++i) height = std::max(height, heights[ast.arg(n, i)]);
        if (++height > kMaxHeight) return bad("nested too deeply", n.offset);
        if (ast.nodes.size() == 20000) return bad("too long", n.offset);
        heights.push_back(height);
        ast.nodes.push_back(std::move(n));
        return static_cast<std::uint32_t>(ast.nodes.size() - 1);
    }
    std::uint32_t leaf(Op op, std::uint32_t offset) {
        AstNode n;
        n.op = op;
        n.offset = offset;
        return push(std::move(n));
    }
    std::uint32_t literal(Value v, std::uint32_t offset) {
        AstNode n;
        n.op = Op::literal;
        n.offset = offset;
        n.value = std::move(v);
        return push(std::move(n));
    }
    void setArguments(AstNode& n, const std::vector<std::uint32_t>& args) {
        n.args = static_cast<std::uint32_t>(ast.arguments.size());
        n.count = static_cast<std::uint32_t>(args.size());
        ast.arguments.insert(ast.arguments.end(), args.begin(), args.end());
    }

    std::uint32_t expression(int level) {
        if (++depth > kMaxDepth) return bad("nested too deeply", token().offset);
        std::uint32_t left = unary();
        while (left != kNone) {
            const Binary* found = nullptr;
            for (const auto& b : kBinary)
                if (b.level >= level && token().is(b.symbol)) found = &b;
            if (found == nullptr) break;
            std::uint32_t offset = token().offset;
            ++at;
            AstNode n;
            n.op = found->op;
            n.offset = offset;
            n.focus = left;
            if (found->op == Op::is || found->op == Op::as) {
                n.text = typeName();
                if (n.text.empty()) return kNone;
            } else {
                std::uint32_t right = expression(found->level + 1);
                if (right == kNone) return kNone;
                setArguments(n, {right});
            }
            left = push(std::move(n));
        }
        --depth;
        return left;
    }

    std::string typeName() {
        std::string name;
        for (;;) {
            if (token().kind != TokenKind::word && token().kind != TokenKind::quoted_word) {
                bad("a type name expected", token().offset);
                return {};
            }
            name += token().text;
            ++at;
            if (!token().is(".") || name.find('.') != std::string::npos || (name != "System" && name != "FHIR"))
                return name;
            name += '.';
            ++at;
        }
    }

    std::uint32_t unary() {
        std::uint32_t offset = token().offset;
        if (token().is("-") || token().is("+")) {
            bool minus = token().is("-");
            ++at;
            if (++depth > kMaxDepth) return bad("nested too deeply", offset);
            std::uint32_t of = unary();
            --depth;
            if (of == kNone) return kNone;
            AstNode n;
            n.op = minus ? Op::negate : Op::plus;
            n.offset = offset;
            n.focus = of;
            return push(std::move(n));
        }
        return postfix(term());
    }

    std::uint32_t postfix(std::uint32_t left) {
        while (left != kNone) {
            std::uint32_t offset = token().offset;
            if (take(".")) {
                left = invocation(left);
            } else if (take("[")) {
                std::uint32_t index = expression(0);
                if (index == kNone) return kNone;
                if (!take("]")) return bad("] expected", token().offset);
                AstNode n;
                n.op = Op::at;
                n.offset = offset;
                n.focus = left;
                setArguments(n, {index});
                left = push(std::move(n));
            } else {
                break;
            }
        }
        return left;
    }

    /// A member name or a function call, after `.` or at the start.
    std::uint32_t invocation(std::uint32_t focus) {
        Token t = token();
        if (t.is("$this") || t.is("$index") || t.is("$total")) {
            if (focus != kNone) return bad("a name expected after .", t.offset);
            ++at;
            return leaf(t.text == "$this" ? Op::self : t.text == "$index" ? Op::index : Op::total, t.offset);
        }
        if (t.kind != TokenKind::word && t.kind != TokenKind::quoted_word) return bad("a name expected", t.offset);
        ++at;
        AstNode n;
        n.offset = t.offset;
        n.focus = focus;
        n.text = t.text;
        if (t.kind == TokenKind::word && token().is("(")) return call(std::move(n));
        n.op = Op::member;
        n.type_like = focus == kNone && !t.text.empty() && t.text[0] >= 'A' && t.text[0] <= 'Z';
        return push(std::move(n));
    }

    std::uint32_t call(AstNode n) {
        ++at;  // (
        const FunctionInfo* f = findFunction(n.text);
        if (f == nullptr) return bad("unknown function", n.offset);
        if (f->ballot && !options.ballot) return bad("a function of the 3.0 ballot, which is switched off", n.offset);
        if (options.profile == Profile::mapping && (f->fn == Fn::now || f->fn == Fn::today || f->fn == Fn::time_of_day))
            return bad("a mapping may not read the clock; use %asOf", n.offset);
        n.op = Op::call;
        n.fn = f->fn;
        const bool named_type = f->fn == Fn::reference_key && token().kind != TokenKind::symbol;
        if (takesType(f->fn) || named_type) {
            if (named_type && token().kind == TokenKind::string) n.text = tokens[at++].text;
            else n.text = typeName();
            if (n.text.empty()) return kNone;
            if (!take(")")) return bad(") expected", token().offset);
            n.typed = true;
            return push(std::move(n));
        }
        std::vector<std::uint32_t> args;
        if (!token().is(")")) {
            do {
                std::uint32_t a = expression(0);
                if (a == kNone) return kNone;
                if (f->fn == Fn::sort && (token().is("asc") || token().is("desc")))
                    ast.nodes[a].descending = tokens[at++].text == "desc";
                args.push_back(a);
            } while (take(","));
        }
        if (!take(")")) return bad(") expected", token().offset);
        if (args.size() < f->least || args.size() > f->most) return bad("wrong number of arguments", n.offset);
        if (!prepareRegex(n, args)) return kNone;
        const bool service = asksService(ast, n);
        if (n.fn == Fn::subsumes && (service ? args.size() < 3 : args.size() != 1))
            return bad("wrong number of arguments", n.offset);
        if (!service && n.fn >= Fn::validate_vs && n.fn <= Fn::lookup)
            return bad("a function of %terminologies", n.offset);
        setArguments(n, args);
        return push(std::move(n));
    }

    /// A pattern that is a literal is compiled once.
    bool prepareRegex(AstNode& n, const std::vector<std::uint32_t>& args) {
        if (n.fn != Fn::matches && n.fn != Fn::matches_full && n.fn != Fn::replace_matches) return true;
        const std::size_t at_flags = n.fn == Fn::replace_matches ? 2 : 1;
        const AstNode& pattern = ast.nodes[args[0]];
        const AstNode* flags = args.size() > at_flags ? &ast.nodes[args[at_flags]] : nullptr;
        if (pattern.op != Op::literal || (flags != nullptr && flags->op != Op::literal)) return true;
        auto made = compileRegex(pattern.value.text, flags == nullptr ? std::string_view() : flags->value.text);
        if (!made) bad(made.error().message, pattern.offset);
        else n.regex = std::move(*made);
        return made.has_value();
    }

    std::uint32_t term() {
        Token t = token();
        switch (t.kind) {
            case TokenKind::string: ++at; return literal(Value::ofString(ast.texts.keep(t.text)), t.offset);
            case TokenKind::number: {
                ++at;
                bool decimal = t.text.find('.') != std::string::npos;
                const Token& next = token();
                if (next.kind == TokenKind::string || (next.kind == TokenKind::word && calendarWord(next.text))) {
                    Value q = Value::ofText(ValueKind::quantity, ast.texts.keep(t.text));
                    q.unit = ast.texts.keep(next.kind == TokenKind::string ? "'" + next.text + "'" : next.text);
                    ++at;
                    return literal(std::move(q), t.offset);
                }
                if (t.text.back() == 'L') {
                    if (!options.ballot)
                        return bad("long integers are of the 3.0 ballot, which is switched off", t.offset);
                    t.text.pop_back();
                    if (t.text.size() > 18) return bad("the integer is too large", t.offset);
                    return literal(Value::ofText(ValueKind::longInteger, ast.texts.keep(t.text)), t.offset);
                }
                if (!decimal && t.text.size() > 18) return bad("the integer is too large", t.offset);
                return literal(Value::ofText(decimal ? ValueKind::decimal : ValueKind::integer, ast.texts.keep(t.text)),
                               t.offset);
            }
            case TokenKind::date:
                ++at;
                return literal(Value::ofText(ValueKind::date, ast.texts.keep(t.text)), t.offset);
            case TokenKind::date_time:
                ++at;
                return literal(Value::ofText(ValueKind::dateTime, ast.texts.keep(t.text)), t.offset);
            case TokenKind::time:
                ++at;
                return literal(Value::ofText(ValueKind::time, ast.texts.keep(t.text)), t.offset);
            default: break;
        }
        if (take("(")) {
            std::uint32_t inner = expression(0);
            if (inner == kNone) return kNone;
            return take(")") ? inner : bad(") expected", token().offset);
        }
        if (take("{")) return take("}") ? leaf(Op::empty, t.offset) : bad("} expected", token().offset);
        if (take("%")) {
            const Token& name = token();
            if (name.kind != TokenKind::word && name.kind != TokenKind::quoted_word && name.kind != TokenKind::string)
                return bad("a name expected after %", name.offset);
            AstNode n;
            n.op = Op::variable;
            n.offset = t.offset;
            n.text = name.text;
            ++at;
            return push(std::move(n));
        }
        if (t.kind == TokenKind::word && (t.text == "true" || t.text == "false")) {
            ++at;
            return literal(Value::ofBoolean(t.text == "true"), t.offset);
        }
        return invocation(kNone);
    }
};

}  // namespace

Result<Ast> parse(std::string_view text, const Options& options) {
    auto tokens = tokenize(text);
    if (!tokens) return tokens.error();
    Parser parser{options, std::move(*tokens), {}};
    parser.ast.text = std::string(text);
    parser.ast.options = options;
    parser.ast.model = &Model::of(options.release);
    parser.ast.root = parser.expression(0);
    if (parser.problem.empty() && parser.token().kind != TokenKind::end)
        parser.bad("the expression goes on where it should end", parser.token().offset);
    if (!parser.problem.empty())
        return fail(Errc::misconfigured, "FHIRPath: " + parser.problem + " at offset " + std::to_string(parser.where),
                    "fhirpath.syntax", parser.where);
    return std::move(parser.ast);
}

}  // namespace porta::fhirpath
