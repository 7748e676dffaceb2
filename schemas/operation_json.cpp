// An operation in canonical JSON: its digest and its fields.
#include <algorithm>
#include <cstring>

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

/// A text that is written from its beginning again and again, into the same memory.
class Text {
public:
    std::string_view view() const { return {bytes_.data(), used_}; }
    void clear() { used_ = 0; }
    void add(std::string_view text) {
        char* at = room(text.size());
        std::memcpy(at, text.data(), text.size());
        used_ += text.size();
    }
    /// A stretch at a time: there must be room for what escapes all of it.
    void escaped(std::string_view text) {
        constexpr std::size_t kStretch = 1024;
        do {
            const std::string_view next = text.substr(0, kStretch);
            char* at = room(6 * next.size());
            used_ += static_cast<std::size_t>(escape(at, next) - at);
            text.remove_prefix(next.size());
        } while (!text.empty());
    }
    void quoted(std::string_view text) {
        add("\"");
        escaped(text);
        add("\"");
    }
    void member(std::string_view before, std::string_view text) {
        add(before);
        quoted(text);
    }

private:
    std::string bytes_;
    std::size_t used_ = 0;

    char* room(std::size_t size) {
        if (bytes_.size() - used_ < size) bytes_.resize(2 * bytes_.size() + size);
        return bytes_.data() + used_;
    }
};

void write(Text& out, const Leaf& leaf) {
    if (leaf.kind == LeafKind::text) out.quoted(leaf.value);
    else out.add(canonical(leafValue(leaf)));
}

/// Canonical JSON without the values of its leaves.
struct Skeleton {
    struct Hole {
        std::size_t at = 0;    ///< in `text`
        std::size_t leaf = 0;  ///< whose value stands there
    };
    std::string text = {};
    std::vector<Hole> holes = {};

    void fill(Text& out, const std::vector<Leaf>& leaves) const {
        const std::string_view all = text;
        std::size_t at = 0;
        for (const Hole& hole : holes) {
            out.add(all.substr(at, hole.at - at));
            write(out, leaves[hole.leaf]);
            at = hole.at;
        }
        out.add(all.substr(at));
    }
    void append(const Skeleton& part) {
        for (const Hole& hole : part.holes) holes.push_back({text.size() + hole.at, hole.leaf});
        text += part.text;
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
    Skeleton all = {};  ///< the object of them
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
        for (const Shape::Field& field : shape.fields) {
            shape.all.text += (shape.all.text.empty() ? "{\"" : ",\"") + field.name + "\":";
            shape.all.append(field.value);
        }
        shape.all.text += shape.fields.empty() ? "{}" : "}";
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

/// Shapes of operations before, each at one of the four places that its paths lead to: a mapping makes few different ones.
class Shapes {
public:
    /// Lives until the next call.
    const Shape& of(const std::vector<Leaf>& leaves) {
        if (leaves.size() > kLongest) return other_ = Shaper(leaves).make();
        const std::size_t first = place(leaves);
        for (std::size_t i = 0; i < kPlaces; ++i)
            if (const Known& known = known_[first + i]; known.is(leaves)) return known.shape;
        Known& oldest = known_[first + turn_++ % kPlaces];
        oldest.paths.clear();
        for (const Leaf& leaf : leaves) oldest.paths.push_back(leaf.path);
        oldest.shape = Shaper(leaves).make();
        return oldest.shape;
    }

private:
    static constexpr std::size_t kShapes = 512, kPlaces = 4, kLongest = 64;
    struct Known {
        std::vector<std::string> paths = {};
        Shape shape = Shaper({}).make();
        bool is(const std::vector<Leaf>& leaves) const {
            return std::equal(paths.begin(), paths.end(), leaves.begin(), leaves.end(),
                              [](const std::string& path, const Leaf& leaf) { return path == leaf.path; });
        }
    };
    std::vector<Known> known_ = std::vector<Known>(kShapes);
    std::size_t turn_ = 0;
    Shape other_ = {};

    static std::size_t place(const std::vector<Leaf>& leaves) {
        std::size_t n = leaves.size();
        for (const Leaf& leaf : leaves) {
            n = n * 31 + leaf.path.size();
            if (!leaf.path.empty()) n = n * 31 + static_cast<unsigned char>(leaf.path.front() ^ leaf.path.back());
        }
        return n * kPlaces % kShapes;
    }
};

const Shape& shapeOf(const std::vector<Leaf>& leaves) {
    static thread_local Shapes shapes;
    return shapes.of(leaves);
}

}  // namespace

std::vector<std::pair<std::string, std::string>> canonicalFields(const Operation& op) {
    std::vector<std::pair<std::string, std::string>> out;
    const Shape& shape = shapeOf(op.leaves);
    if (shape.plain) {
        static thread_local Text text;
        out.reserve(shape.fields.size());
        for (const Shape::Field& field : shape.fields) {
            text.clear();
            field.value.fill(text, op.leaves);
            out.emplace_back(field.name, text.view());
        }
        return out;
    }
    Json fields = fieldsOf(op.leaves);
    for (std::size_t i = 0; i < fields.size(); ++i) out.emplace_back(fields.keys()[i], canonical(fields.items()[i]));
    std::sort(out.begin(), out.end());
    return out;
}

void seal(Operation& op) {
    static thread_local Text text;
    text.clear();
    text.add("{");
    if (!op.cancels.empty()) text.member("\"cancels\":", op.cancels);
    if (!op.cls.empty()) text.member(op.cancels.empty() ? "\"class\":" : ",\"class\":", op.cls);
    text.add(op.cancels.empty() && op.cls.empty() ? "\"fields\":" : ",\"fields\":");
    if (const Shape& shape = shapeOf(op.leaves); shape.plain) shape.all.fill(text, op.leaves);
    else text.add(canonical(fieldsOf(op.leaves)));
    if (!op.into.empty()) text.member(",\"into\":", op.into);
    text.add(",\"key\":\"");
    text.escaped(op.key.source);
    text.add("|");
    text.escaped(op.key.entity);
    text.add("|");
    text.escaped(op.key.local_id);
    text.member("\",\"op\":", name(op.op));
    if (!op.valid_from.empty() || !op.valid_to.empty()) {
        text.member(",\"valid\":{\"from\":", op.valid_from);
        text.member(",\"to\":", op.valid_to);
        text.add("}");
    }
    text.member(",\"version\":{\"order\":", name(op.version.order));
    text.member(",\"value\":", op.version.text);
    text.add("}}");
    op.digest = sha256(text.view());
}

}  // namespace porta::schemas
