// Walks an expression over what is known of its input. Errs on the side of silence: what it does not understand gives a
// value of any kind, never a problem.
#include "fhirpath/shape.h"

#include <algorithm>

#include "base/yaml.h"
#include "fhirpath/ast.h"

namespace porta::fhirpath {

std::vector<std::string> Shape::names(PlaceId place) const {
    std::vector<std::string> all;
    if (place == kOpen) return all;
    auto add = [&](std::string name) {
        if (std::find(all.begin(), all.end(), name) == all.end()) all.push_back(std::move(name));
    };
    for (const Element& e : types[place].elements) add(e.name);
    for (PlaceId one : types[place].alternatives)
        for (std::string& name : names(one)) add(std::move(name));
    return all;
}

namespace {

void addPlace(Known& to, PlaceId place) {
    if (std::find(to.places.begin(), to.places.end(), place) == to.places.end()) to.places.push_back(place);
}

/// What either may give.
Known either(Known a, const Known& b) {
    for (PlaceId p : b.places) addPlace(a, p);
    a.many = std::max(a.many, b.many);
    a.computed |= b.computed;
    for (const std::string& l : b.literals)
        if (std::find(a.literals.begin(), a.literals.end(), l) == a.literals.end()) a.literals.push_back(l);
    a.broken = a.broken || b.broken;
    if (a.path.empty()) a.path = b.path;
    return a;
}

bool nothing(const Known& k) { return k.places.empty() && k.computed == 0; }

struct Walker {
    const Ast& ast;
    const Shape& shape;
    const std::map<std::string, Known>& variables;
    std::vector<PathProblem> problems = {};

    /// One item of it.
    static Known item(Known k) {
        k.many = Many::one;
        return k;
    }

    /// Places without alternatives.
    void expand(PlaceId place, std::vector<PlaceId>& out) const {
        if (place == Shape::kOpen || shape.types[place].alternatives.empty()) {
            out.push_back(place);
            return;
        }
        for (PlaceId one : shape.types[place].alternatives) expand(one, out);
    }
    std::vector<PlaceId> expanded(const Known& k) const {
        std::vector<PlaceId> out;
        for (PlaceId place : k.places) expand(place, out);
        return out;
    }

    Known member(const AstNode& n, const Known& focus) {
        Known out;
        out.many = focus.many;
        out.path = focus.path.empty() ? n.text : focus.path + "." + n.text;
        if (focus.broken) {
            out.broken = true;
            return out;
        }
        bool open = false, several = false;
        for (PlaceId place : expanded(focus)) {
            if (place == Shape::kOpen) {
                open = true;
                continue;
            }
            // `Patient.name`: the type of what the expression starts from.
            if (n.type_like && shape.dialect != formats::Dialect::hl7v2 && shape.named(place, n.text)) {
                addPlace(out, place);
                continue;
            }
            const Shape::Type& type = shape.types[place];
            bool found = false;
            for (const Shape::Element& e : type.elements) {
                if (e.name != n.text) continue;
                addPlace(out, e.type);
                several = several || e.many;
                found = true;
            }
            if (found) continue;
            // HL7 v2: the first part of a value without parts is the value.
            if (shape.dialect == formats::Dialect::hl7v2 && type.leaf != Leaf::group &&
                (n.text == "c1" || n.text == "s1")) {
                addPlace(out, place);
                continue;
            }
            // Segments that begin with Z are the sender's own (HL7 v2.5.1, 2.17).
            const bool own = shape.dialect == formats::Dialect::hl7v2 && n.text.size() == 3 && n.text[0] == 'Z';
            // What the object model of HL7 v2 lists holds segments of every kind.
            const bool list = shape.dialect == formats::Dialect::hl7v2 && isV2List(n.text);
            open = open || type.open || own || list;
        }
        if (several) out.many = Many::many;
        if (focus.computed & (bit(Leaf::any) | bit(Leaf::group))) out.computed |= bit(Leaf::any);
        if (open) {
            addPlace(out, Shape::kOpen);
            problems.push_back({n.offset, out.path, n.text, {}, true});
        } else if (out.places.empty() && !focus.places.empty()) {
            std::vector<std::string> known;
            for (PlaceId place : focus.places)
                for (std::string& name : shape.names(place)) known.push_back(std::move(name));
            std::string near = nearest(n.text, known);
            if (near.empty() && known.size() <= 8)
                for (const std::string& k : known) near += (near.empty() ? "" : ", ") + k;
            problems.push_back({n.offset, out.path, n.text, near, false});
            out.broken = true;
        }
        return out;
    }

    /// The places that are, or may be, of a type; a type that the shape does not name changes nothing.
    Known narrow(const Known& focus, std::string type) {
        if (auto dot = type.rfind('.'); dot != std::string::npos) type.erase(0, dot + 1);
        Known out = focus;
        out.places.clear();
        for (PlaceId place : expanded(focus))
            if (place == Shape::kOpen || shape.named(place, type)) addPlace(out, place);
        return out.places.empty() ? focus : out;
    }

    /// `where(resourceType = 'Patient')` leaves patients.
    Known filtered(const AstNode& n, Known focus) {
        const AstNode& condition = ast.nodes[ast.arg(n, 0)];
        if (condition.op != Op::equal || condition.focus == kNone) return focus;
        const AstNode& left = ast.nodes[condition.focus];
        const AstNode& right = ast.nodes[ast.arg(condition, 0)];
        if (left.op != Op::member || left.text != "resourceType" || right.op != Op::literal) return focus;
        return narrow(focus, std::string(right.value.text));
    }

    static Known literal(const AstNode& n) {
        Known k;
        switch (n.value.kind) {
            case ValueKind::boolean: k.computed = bit(Leaf::boolean); break;
            case ValueKind::integer:
            case ValueKind::decimal:
            case ValueKind::quantity: k.computed = bit(Leaf::number); break;
            case ValueKind::date: k.computed = bit(Leaf::date); break;
            case ValueKind::dateTime: k.computed = bit(Leaf::instant); break;
            default: k.computed = bit(Leaf::text); break;
        }
        k.literals.emplace_back(n.value.text);
        return k;
    }

    Known walk(std::uint32_t id, const Known& self) {
        const AstNode& n = ast.nodes[id];
        Known focus = n.focus != kNone ? walk(n.focus, self) : self;
        switch (n.op) {
            case Op::literal: return literal(n);
            case Op::empty: return {};
            case Op::self: return item(self);
            case Op::index: return Known::made(Leaf::number);
            case Op::total: return Known::made(Leaf::any);
            case Op::variable: return variable(n);
            case Op::member: return member(n, focus);
            case Op::at: walk(ast.arg(n, 0), self); return item(focus);
            case Op::call: return call(n, focus, self);
            case Op::is: return Known::made(Leaf::boolean);
            case Op::as: return narrow(focus, n.text);
            case Op::negate:
            case Op::plus: return Known::made(Leaf::number);
            default: break;
        }
        Known right;
        for (std::uint32_t i = 0; i < n.count; ++i) right = walk(ast.arg(n, i), self);
        switch (n.op) {
            case Op::unite: return united(std::move(focus), right);
            case Op::concat: return Known::made(Leaf::text);
            case Op::add:
            case Op::subtract: return Known::made(Leaf::any);
            case Op::multiply:
            case Op::divide:
            case Op::div:
            case Op::mod: return Known::made(Leaf::number);
            default: return Known::made(Leaf::boolean);
        }
    }

    static Known united(Known a, const Known& b) {
        const bool both = !nothing(a) && !nothing(b);
        a = either(std::move(a), b);
        if (both) a.many = std::max(a.many, Many::maybe);
        return a;
    }

    Known variable(const AstNode& n) {
        std::string name = n.text;
        if (!name.empty() && name[0] == '%') name.erase(0, 1);
        auto found = variables.find(name);
        return found != variables.end() ? found->second : Known::made(Leaf::any);
    }

    /// The step that a name in quotes stands for.
    static AstNode partNamed(const AstNode& literal) {
        AstNode step;
        step.op = Op::member;
        step.text = literal.value.text;
        step.offset = literal.offset;
        return step;
    }

    /// A message of HL7 v2 and all groups in it. What has fields is a segment.
    void withGroups(PlaceId place, Known& out) const {
        for (PlaceId one : expanded(Known::at(place))) {
            addPlace(out, one);
            if (one == Shape::kOpen) continue;
            for (const Shape::Element& e : shape.types[one].elements)
                if (const auto& parts = shape.types[e.type].elements; !parts.empty() && parts.front().name[0] != 'f')
                    withGroups(e.type, out);
        }
    }

    Known call(const AstNode& n, const Known& focus, const Known& self) {
        if (n.fn == Fn::of_type || n.fn == Fn::as) return narrow(focus, n.text);
        if (n.typed) return Known::made(n.fn == Fn::is ? Leaf::boolean : Leaf::any);
        const FunctionInfo& info = *findFunction(n.text);
        std::vector<Known> args;
        for (std::uint32_t i = 0; i < n.count; ++i)
            args.push_back(walk(ast.arg(n, i), info.lambda ? item(focus) : self));
        switch (n.fn) {
            case Fn::where: return filtered(n, focus);
            case Fn::iif: return args.size() > 2 ? either(args[1], args[2]) : args[1];
            case Fn::select: {
                Known out = args[0];
                out.many = std::max(out.many, focus.many);
                return out;
            }
            case Fn::coalesce: {
                Known out = args[0];
                for (std::size_t i = 1; i < args.size(); ++i) out = either(std::move(out), args[i]);
                return out;
            }
            case Fn::repeat:
            case Fn::repeat_all:
            case Fn::children:
            case Fn::descendants:
            case Fn::extension: {
                Known out = Known::at(Shape::kOpen);
                out.many = Many::maybe;
                out.broken = true;  // what stands there is not followed, and not told step by step
                return out;
            }
            case Fn::preceding: {
                const AstNode& name = ast.nodes[ast.arg(n, 0)];
                if (name.op != Op::literal) return Known::at(Shape::kOpen);
                Known message;
                withGroups(shape.root, message);
                Known out = member(partNamed(name), message);
                out.many = focus.many;
                return out;
            }
            case Fn::v2_group: {
                if (n.count == 0 || ast.nodes[ast.arg(n, 0)].op != Op::literal) return Known::at(Shape::kOpen);
                return member(partNamed(ast.nodes[ast.arg(n, 0)]), focus);
            }
            case Fn::split:
            case Fn::to_chars: {
                Known out = Known::made(Leaf::text);
                out.many = Many::maybe;
                return out;
            }
            default: break;
        }
        switch (info.gives) {
            case Gives::focus: return focus;
            case Gives::item: return item(focus);
            case Gives::both: return united(focus, args[0]);
            case Gives::boolean: return Known::made(Leaf::boolean);
            case Gives::number: return Known::made(Leaf::number);
            case Gives::text: return Known::made(Leaf::text);
            case Gives::date: return Known::made(Leaf::date);
            case Gives::instant: return Known::made(Leaf::instant);
            case Gives::parts: return Known::made(Leaf::group);
            default: return Known::made(Leaf::any);
        }
    }
};

}  // namespace

Analysis Expression::analyse(const Shape& shape, const Known& self,
                             const std::map<std::string, Known>& variables) const {
    Walker walker{impl_->ast, shape, variables};
    Known result = walker.walk(impl_->ast.root, self);
    return {std::move(result), std::move(walker.problems)};
}

}  // namespace porta::fhirpath
