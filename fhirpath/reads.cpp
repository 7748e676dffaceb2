// What an expression reads and what for: the static half of lineage. An over-estimate where values decide: every branch and
// every item that may be taken counts.
#include <algorithm>
#include <cctype>
#include <set>

#include "fhirpath/ast.h"

namespace porta::fhirpath {
namespace {

using Paths = std::vector<std::string>;
constexpr std::size_t kMaxPaths = 256;  ///< of one node's result

/// A member's name as an expression has it: in backquotes unless it is plain.
std::string nameText(const std::string& name) {
    static const std::vector<std::string> words = {"and",  "as",    "contains", "day",  "days",   "div",     "false",
                                                   "hour", "hours", "implies",  "in",   "is",     "minute",  "minutes",
                                                   "mod",  "month", "months",   "or",   "second", "seconds", "true",
                                                   "week", "weeks", "xor",      "year", "years"};
    auto plain = [](unsigned char c) { return std::isalnum(c) || c == '_'; };
    if (!name.empty() && std::all_of(name.begin(), name.end(), plain) &&
        !std::isdigit(static_cast<unsigned char>(name[0])) &&
        std::find(words.begin(), words.end(), name) == words.end())
        return name;
    std::string out = "`";
    for (char c : name) {
        if (c == '`' || c == '\\') out += '\\';
        out += c;
    }
    return out + "`";
}

struct Walk {
    const Ast& ast;
    std::vector<Read> reads = {};
    std::set<std::pair<std::string, Read::Use>> known = {};  ///< those in `reads`

    void use(const Paths& paths, Read::Use how) {
        for (const std::string& p : paths)
            if (known.emplace(p, how).second) reads.push_back({p, how});
    }
    static Paths below(const Paths& focus, const std::string& step) {
        Paths out;
        for (const std::string& p : focus) out.push_back(p.empty() ? step : p + "." + step);
        return out;
    }
    /// `select(a | b).select(a | b)` doubles with each step: from some size on, any part of the record.
    static Paths joined(Paths a, const Paths& b) {
        for (const std::string& p : b)
            if (std::find(a.begin(), a.end(), p) == a.end()) a.push_back(p);
        if (a.size() > kMaxPaths) a = {"%resource.descendants()"};
        return a;
    }

    /// The paths of the nodes that may be in the node's result, given those of $this. What is looked at on the way is used
    /// for `how`: `computed` at the top, else what the condition around decides.
    Paths walk(std::uint32_t id, const Paths& self, Read::Use how) {
        const AstNode& n = ast.nodes[id];
        const Paths focus = n.focus == kNone ? self : walk(n.focus, self, how);
        switch (n.op) {
            case Op::self: return self;
            case Op::variable: return n.text == "terminologies" ? Paths{} : Paths{"%" + nameText(n.text)};
            case Op::member: return below(focus, nameText(n.text));
            case Op::at: use(walk(ast.arg(n, 0), self, Read::filter), Read::filter); return focus;
            case Op::as: return focus;
            case Op::unite: return joined(focus, walk(ast.arg(n, 0), self, how));
            case Op::call: return call(n, self, focus, how);
            case Op::literal:
            case Op::empty:
            case Op::index:
            case Op::total: return {};
            default: break;
        }
        use(focus, how);
        for (std::uint32_t i = 0; i < n.count; ++i) use(walk(ast.arg(n, i), self, how), how);
        return {};
    }

    Paths call(const AstNode& n, const Paths& self, const Paths& focus, Read::Use how) {
        if (n.fn == Fn::of_type || n.fn == Fn::as) return focus;
        if (n.typed) {
            use(focus, how);
            return {};
        }
        const FunctionInfo& info = *findFunction(n.text);
        const Paths& inside = info.lambda ? focus : self;
        auto arguments = [&](Read::Use as) {
            for (std::uint32_t i = 0; i < n.count; ++i) use(walk(ast.arg(n, i), inside, as), as);
        };
        switch (n.fn) {
            case Fn::iif: {
                const Read::Use decides = how == Read::filter ? Read::filter : Read::condition;
                use(walk(ast.arg(n, 0), inside, decides), decides);
                Paths out;
                for (std::uint32_t i = 1; i < n.count; ++i) out = joined(out, walk(ast.arg(n, i), inside, how));
                return out;
            }
            case Fn::select: return walk(ast.arg(n, 0), inside, how);
            case Fn::unite:
            case Fn::combine: return joined(focus, walk(ast.arg(n, 0), inside, how));
            case Fn::coalesce: {
                Paths out;
                for (std::uint32_t i = 0; i < n.count; ++i) out = joined(out, walk(ast.arg(n, i), inside, how));
                return out;
            }
            case Fn::define_variable: arguments(how); return focus;
            case Fn::slice:
            case Fn::get_value: return focus;
            // Any part of the record may be the one that is referred to.
            case Fn::resolve: use(focus, how); return {"%resource.descendants()"};
            case Fn::preceding: {
                use(focus, Read::filter);
                const AstNode& name = ast.nodes[ast.arg(n, 0)];
                return {"%segment()." +
                        (name.op == Op::literal ? nameText(std::string(name.value.text)) : "children()")};
            }
            case Fn::v2_group: {
                if (n.count == 0) return below(focus, "children()");
                const AstNode& name = ast.nodes[ast.arg(n, 0)];
                return below(focus, name.op == Op::literal ? nameText(std::string(name.value.text)) : "children()");
            }
            case Fn::children: return below(focus, "children()");
            case Fn::repeat: arguments(Read::filter); [[fallthrough]];
            case Fn::descendants: return below(focus, "descendants()");
            case Fn::extension: return below(focus, "extension");
            default: break;
        }
        if (info.gives == Gives::focus || info.gives == Gives::item) {
            arguments(Read::filter);
            return focus;
        }
        use(focus, how);
        arguments(how);
        return {};
    }
};

}  // namespace

std::vector<Read> Expression::reads() const {
    Walk walk{impl_->ast};
    Paths result = walk.walk(impl_->ast.root, {""}, Read::computed);
    walk.use(result, Read::value);
    for (Read& r : walk.reads)
        if (r.path.empty()) r.path = "$this";
    return std::move(walk.reads);
}

}  // namespace porta::fhirpath
