// An operation in canonical JSON: its digest and its fields.
#include <algorithm>

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

/// Writes leaves as canonical JSON without a tree between: sorted by their paths they come in the order of the text. Only
/// what mappings make: no leaf above another, lists without holes, names of letters, digits and `_`. What else an
/// operation may hold goes through the tree, whose text is the same.
class LeafWriter {
public:
    /// Sorts the leaves. False: these are not for this writer.
    bool take(const std::vector<Leaf>& leaves) {
        order_.clear();
        bool long_index = false;
        for (const Leaf& leaf : leaves) {
            bool digits = false, after_digit = false;
            for (char c : leaf.path) {
                const bool digit = c >= '0' && c <= '9';
                if (!digit && c != '/' && c != '_' && !(c >= 'a' && c <= 'z') && !(c >= 'A' && c <= 'Z')) return false;
                digits = digits || (digit && after_digit);
                after_digit = digit;
            }
            long_index = long_index || digits;
            order_.push_back(&leaf);
        }
        // `/` sorts below all that stands in a name, so that the bytes of paths have the order of their steps, but for an
        // index of several digits.
        std::sort(order_.begin(), order_.end(), [long_index](const Leaf* a, const Leaf* b) {
            return long_index ? before(a->path, b->path) : a->path < b->path;
        });
        return true;
    }
    std::size_t size() const { return order_.size(); }

    /// The end of the leaves from `from` on whose path goes through the same step: the one at byte `at` of it.
    std::size_t end(std::size_t from, std::size_t to, std::size_t at) const {
        const std::string_view path = order_[from]->path;
        const std::size_t stop = std::min(path.find('/', at), path.size());
        auto same = [&](std::string_view other) {
            return other.size() >= stop && other.compare(at, stop - at, path, at, stop - at) == 0 &&
                   (other.size() == stop || other[stop] == '/');
        };
        std::size_t i = from + 1;
        while (i < to && same(order_[i]->path)) ++i;
        return i;
    }
    std::string_view step(std::size_t i, std::size_t at) const {
        const std::string_view path = order_[i]->path;
        return path.substr(at, path.find('/', at) - at);
    }

    /// Appends what the leaves from..to make below the first `above` bytes of their paths, which they share. False: not
    /// for this writer.
    bool write(std::string& out, std::size_t from, std::size_t to, std::size_t above) const {
        if (from < to && above && order_[from]->path.size() == above) {
            if (to - from > 1) return false;
            const Leaf& leaf = *order_[from];
            if (leaf.kind == LeafKind::text) quote(out, leaf.value);
            else out += canonical(leafValue(leaf));
            return true;
        }
        const std::size_t at = above ? above + 1 : 0;
        const bool list = above && isIndex(step(from, at));
        out += list ? '[' : '{';
        std::size_t index = 0;
        for (std::size_t i = from, next = 0; i < to; i = next, ++index) {
            const std::string_view name = step(i, at);
            if (name.empty() || isIndex(name) != list || (list && name != std::to_string(index))) return false;
            if (index) out += ',';
            if (!list) out.append(1, '"').append(name).append("\":");
            next = end(i, to, at);
            if (!write(out, i, next, at + name.size())) return false;
        }
        out += list ? ']' : '}';
        return true;
    }

private:
    std::vector<const Leaf*> order_;

    static bool before(std::string_view a, std::string_view b) {
        while (true) {
            std::string_view x = a.substr(0, a.find('/')), y = b.substr(0, b.find('/'));
            if (x != y) return isIndex(x) && isIndex(y) && x.size() != y.size() ? x.size() < y.size() : x < y;
            if (x.size() == a.size() || y.size() == b.size()) return a.size() < b.size();
            a.remove_prefix(x.size() + 1);
            b.remove_prefix(y.size() + 1);
        }
    }
};

void member(std::string& out, std::string_view name, std::string_view text) {
    out += out.size() > 1 ? ",\"" : "\"";
    out.append(name).append("\":");
    quote(out, text);
}

LeafWriter& leafWriter() {
    static thread_local LeafWriter writer;
    return writer;
}

}  // namespace

std::vector<std::pair<std::string, std::string>> canonicalFields(const Operation& op) {
    std::vector<std::pair<std::string, std::string>> out;
    LeafWriter& writer = leafWriter();
    bool plain = writer.take(op.leaves);
    for (std::size_t i = 0, next = 0; plain && i < writer.size(); i = next) {
        const std::string_view name = writer.step(i, 0);
        next = writer.end(i, writer.size(), 0);
        out.emplace_back(name, std::string());
        plain = !name.empty() && !isIndex(name) && writer.write(out.back().second, i, next, name.size());
    }
    if (plain) return out;
    out.clear();
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
    const std::size_t fields = text.size();
    LeafWriter& writer = leafWriter();
    if (!writer.take(op.leaves) || !writer.write(text, 0, writer.size(), 0)) {
        text.resize(fields);
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
