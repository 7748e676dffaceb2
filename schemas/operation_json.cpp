// An operation in canonical JSON: its digest and its fields.
#include <algorithm>
#include <unordered_map>

#include "base/canonical_json.h"
#include "base/hash.h"
#include "schemas/operation.h"

namespace porta::schemas {

namespace {

bool isIndex(std::string_view step) {
    return !step.empty() && std::all_of(step.begin(), step.end(), [](char c) { return c >= '0' && c <= '9'; });
}

Json leafValue(const Leaf& leaf) {
    switch (leaf.kind) {
        case LeafKind::text: return leaf.value;
        case LeafKind::boolean: return leaf.value == "true";
        case LeafKind::integer: return static_cast<std::int64_t>(std::strtoll(leaf.value.c_str(), nullptr, 10));
        case LeafKind::null: return {};
    }
    return {};
}

void put(Json& at, std::string_view path, Json value) {
    if (path.empty()) {
        at = std::move(value);
        return;
    }
    std::size_t slash = path.find('/');
    std::string_view step = path.substr(0, slash);
    std::string_view rest = slash == std::string_view::npos ? std::string_view() : path.substr(slash + 1);
    if (isIndex(step) && !at.isObject()) {
        if (!at.isArray()) at = Json::array();
        std::size_t i = static_cast<std::size_t>(std::strtoul(std::string(step).c_str(), nullptr, 10));
        while (at.size() <= i && at.size() < 100000) at.push({});
        if (i < at.size()) put(at.items()[i], rest, std::move(value));
    } else {
        put(at[step], rest, std::move(value));
    }
}

Json fieldsOf(const std::vector<Leaf>& leaves) {
    Json fields = Json::object();
    for (const Leaf& leaf : leaves) put(fields, leaf.path, leafValue(leaf));
    return fields;
}

void write(std::string& out, const Leaf& leaf) {
    if (leaf.kind == LeafKind::text) quote(out, leaf.value);
    else out += canonical(leafValue(leaf));
}

/// The canonical JSON of a field without its values.
struct Skeleton {
    struct Hole {
        std::size_t at = 0;    ///< in `text`
        std::size_t leaf = 0;  ///< whose value stands there
    };
    std::string text = {};
    std::vector<Hole> holes = {};

    void fill(std::string& out, const std::vector<Leaf>& leaves) const {
        std::size_t at = 0;
        for (const Hole& hole : holes) {
            out.append(text, at, hole.at - at);
            write(out, leaves[hole.leaf]);
            at = hole.at;
        }
        out.append(text, at, std::string::npos);
    }
};

/// What leaves of the same paths share: their fields, sorted, as skeletons. Only what mappings make: no leaf above
/// another, lists without holes, names of letters, digits and `_`. What else an operation may hold goes through a tree of
/// JSON values, whose text is the same.
struct Shape {
    struct Field {
        std::string name;
        Skeleton value = {};
    };
    bool plain = false;
    std::vector<Field> fields = {};
};

/// Makes a shape: sorted by their paths, leaves come in the order of the text.
class Shaper {
public:
    explicit Shaper(const std::vector<Leaf>& leaves) : leaves_(leaves) {}

    Shape make() {
        Shape shape;
        shape.plain = sort();
        for (std::size_t i = 0, next = 0; shape.plain && i < order_.size(); i = next) {
            const std::string_view name = step(i, 0);
            next = end(i, order_.size(), 0);
            shape.fields.push_back({std::string(name)});
            shape.plain = !name.empty() && !isIndex(name) && put(shape.fields.back().value, i, next, name.size());
        }
        return shape;
    }

private:
    const std::vector<Leaf>& leaves_;
    std::vector<std::size_t> order_ = {};

    std::string_view path(std::size_t i) const { return leaves_[order_[i]].path; }

    /// False: a name is not of ours.
    bool sort() {
        for (std::size_t i = 0; i < leaves_.size(); ++i) {
            for (char c : leaves_[i].path)
                if (c != '/' && c != '_' && !(c >= '0' && c <= '9') && !(c >= 'a' && c <= 'z') &&
                    !(c >= 'A' && c <= 'Z'))
                    return false;
            order_.push_back(i);
        }
        std::sort(order_.begin(), order_.end(),
                  [this](std::size_t a, std::size_t b) { return before(leaves_[a].path, leaves_[b].path); });
        return true;
    }
    /// The order of canonical JSON, step by step; indexes by their number.
    static bool before(std::string_view a, std::string_view b) {
        while (true) {
            std::string_view x = a.substr(0, a.find('/')), y = b.substr(0, b.find('/'));
            if (x != y) return isIndex(x) && isIndex(y) && x.size() != y.size() ? x.size() < y.size() : x < y;
            if (x.size() == a.size() || y.size() == b.size()) return a.size() < b.size();
            a.remove_prefix(x.size() + 1);
            b.remove_prefix(y.size() + 1);
        }
    }
    /// The step of a path that begins at byte `at`.
    std::string_view step(std::size_t i, std::size_t at) const {
        const std::string_view whole = path(i);
        return at >= whole.size() ? std::string_view() : whole.substr(at, whole.find('/', at) - at);
    }
    /// The end of the leaves from `from` on whose paths go through the same step at byte `at`.
    std::size_t end(std::size_t from, std::size_t to, std::size_t at) const {
        std::size_t i = from + 1;
        while (i < to && step(i, at) == step(from, at)) ++i;
        return i;
    }
    /// Appends what the leaves from..to make below the first `above` bytes of their paths, which they share.
    bool put(Skeleton& out, std::size_t from, std::size_t to, std::size_t above) const {
        if (path(from).size() == above) {
            out.holes.push_back({out.text.size(), order_[from]});
            return to - from == 1;
        }
        const bool list = isIndex(step(from, above + 1));
        out.text += list ? '[' : '{';
        std::size_t index = 0;
        for (std::size_t i = from, next = 0; i < to; i = next, ++index) {
            const std::string_view name = step(i, above + 1);
            if (name.empty() || isIndex(name) != list || (list && name != std::to_string(index))) return false;
            if (index) out.text += ',';
            if (!list) out.text.append(1, '"').append(name).append("\":");
            next = end(i, to, above + 1);
            if (!put(out, i, next, above + 1 + name.size())) return false;
        }
        out.text += list ? ']' : '}';
        return true;
    }
};

/// The shape of these leaves, remembered: a mapping makes few different ones. Lives until the next call.
const Shape& shapeOf(const std::vector<Leaf>& leaves) {
    constexpr std::size_t kShapes = 512, kLongest = 64;
    static thread_local std::unordered_map<std::string, Shape> known;
    static thread_local std::string paths;
    static thread_local Shape other;
    if (leaves.size() > kLongest) return other = Shaper(leaves).make();
    paths.assign(1, static_cast<char>(leaves.size()));  // so that a zero byte in a path is told from the end of one
    for (const Leaf& leaf : leaves) paths.append(leaf.path).push_back('\0');
    auto found = known.find(paths);
    if (found != known.end()) return found->second;
    if (known.size() >= kShapes) known.clear();
    return known.emplace(paths, Shaper(leaves).make()).first->second;
}

void member(std::string& out, std::string_view name, std::string_view text) {
    out += out.size() > 1 ? ",\"" : "\"";
    out.append(name).append("\":");
    quote(out, text);
}

}  // namespace

std::vector<std::pair<std::string, std::string>> canonicalFields(const Operation& op) {
    std::vector<std::pair<std::string, std::string>> out;
    const Shape& shape = shapeOf(op.leaves);
    if (shape.plain) {
        out.reserve(shape.fields.size());
        for (const Shape::Field& field : shape.fields) {
            out.emplace_back(field.name, std::string());
            field.value.fill(out.back().second, op.leaves);
        }
        return out;
    }
    Json fields = fieldsOf(op.leaves);
    for (std::size_t i = 0; i < fields.size(); ++i) out.emplace_back(fields.keys()[i], canonical(fields.items()[i]));
    std::sort(out.begin(), out.end());
    return out;
}

void seal(Operation& op) {
    static thread_local std::string text;
    text = "{";
    if (!op.cancels.empty()) member(text, "cancels", op.cancels);
    if (!op.cls.empty()) member(text, "class", op.cls);
    text += text.size() > 1 ? ",\"fields\":" : "\"fields\":";
    const Shape& shape = shapeOf(op.leaves);
    if (shape.plain) {
        char between = '{';
        for (const Shape::Field& field : shape.fields) {
            text.append(1, between).append(1, '"').append(field.name).append("\":");
            field.value.fill(text, op.leaves);
            between = ',';
        }
        text += shape.fields.empty() ? "{}" : "}";
    } else {
        text += canonical(fieldsOf(op.leaves));
    }
    if (!op.into.empty()) member(text, "into", op.into);
    text += ",\"key\":\"";
    escape(text, op.key.source);
    text += '|';
    escape(text, op.key.entity);
    text += '|';
    escape(text, op.key.local_id);
    text += '"';
    member(text, "op", name(op.op));
    if (!op.valid_from.empty() || !op.valid_to.empty()) {
        text += ",\"valid\":{\"from\":";
        quote(text, op.valid_from);
        member(text, "to", op.valid_to);
        text += '}';
    }
    text += ",\"version\":{\"order\":";
    quote(text, name(op.version.order));
    member(text, "value", op.version.text);
    text += "}}";
    op.digest = sha256(text);
}

}  // namespace porta::schemas
