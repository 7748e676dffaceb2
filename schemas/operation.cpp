#include "schemas/operation.h"

#include <algorithm>

namespace porta::schemas {

namespace {

constexpr std::uint8_t kLayout = 1;

/// Little-endian base-128 integers and length-prefixed text (docs/formats/operations.md).
struct Writer {
    std::string out;
    void number(std::uint64_t n) {
        while (n >= 0x80) {
            out += static_cast<char>(n | 0x80);
            n >>= 7;
        }
        out += static_cast<char>(n);
    }
    void signedNumber(std::int64_t n) {
        number(static_cast<std::uint64_t>(n) << 1 ^ static_cast<std::uint64_t>(n >> 63));
    }
    void text(std::string_view t) {
        number(t.size());
        out += t;
    }
    void key(const RecordKey& k) {
        text(k.source);
        text(k.entity);
        text(k.local_id);
    }
};

struct Reader {
    std::string_view in;
    bool good = true;
    std::uint64_t number() {
        std::uint64_t n = 0;
        for (int shift = 0; shift < 64; shift += 7) {
            if (in.empty()) break;
            auto b = static_cast<std::uint8_t>(in[0]);
            in.remove_prefix(1);
            n |= std::uint64_t{b & 0x7fu} << shift;
            if (b < 0x80) return n;
        }
        good = false;
        return 0;
    }
    std::int64_t signedNumber() {
        std::uint64_t n = number();
        return static_cast<std::int64_t>(n >> 1 ^ (~(n & 1) + 1));
    }
    std::string text() {
        std::uint64_t n = number();
        if (n > in.size()) {
            good = false;
            return {};
        }
        std::string t(in.substr(0, n));
        in.remove_prefix(n);
        return t;
    }
    /// A count whose items take at least a byte each.
    std::size_t count() {
        std::uint64_t n = number();
        if (n > in.size()) good = false;
        return good ? static_cast<std::size_t>(n) : 0;
    }
    RecordKey key() {
        RecordKey k;
        k.source = text();
        k.entity = text();
        k.local_id = text();
        return k;
    }
};

}  // namespace

std::string_view name(Op op) {
    switch (op) {
        case Op::upsert: return "upsert";
        case Op::patch: return "patch";
        case Op::merge: return "merge";
        case Op::delete_: return "delete";
        case Op::cancel: return "cancel";
        case Op::unmerge: return "unmerge";
        case Op::presence: return "presence";
    }
    return "";
}

std::string_view name(Order order) {
    switch (order) {
        case Order::number: return "number";
        case Order::instant: return "instant";
        case Order::arrival: return "arrival";
    }
    return "";
}

std::string_view name(How how) {
    switch (how) {
        case How::copied: return "copied";
        case How::translated: return "translated";
        case How::computed: return "computed";
        case How::constant: return "constant";
        case How::declared: return "declared";
        case How::absent: return "absent";
    }
    return "";
}

int rank(Op op) {
    switch (op) {
        case Op::upsert:
        case Op::presence: return 0;
        case Op::patch: return 1;
        case Op::merge: return 2;
        case Op::delete_:
        case Op::cancel:
        case Op::unmerge: return 3;
    }
    return 0;
}

std::string encode(const std::vector<Operation>& operations) {
    Writer w;
    std::size_t room = 16;
    for (const Operation& op : operations) room += 200 + op.leaves.size() * 64;
    w.out.reserve(room);
    w.number(kLayout);
    w.number(operations.size());
    for (const Operation& op : operations) {
        w.key(op.key);
        w.number(static_cast<std::uint64_t>(op.op));
        w.number(static_cast<std::uint64_t>(op.version.order));
        w.number(op.version.parts.size());
        for (std::int64_t p : op.version.parts) w.signedNumber(p);
        for (const std::string* t : {&op.version.text, &op.cls, &op.cancels, &op.into, &op.valid_from, &op.valid_to})
            w.text(*t);
        w.number(op.subjects.size());
        for (const RecordKey& k : op.subjects) w.key(k);
        w.number(op.mentions.size());
        for (const RecordKey& k : op.mentions) w.key(k);
        w.number(op.leaves.size());
        for (const Leaf& leaf : op.leaves) {
            w.text(leaf.path);
            w.number(static_cast<std::uint64_t>(leaf.kind) << 4 | static_cast<std::uint64_t>(leaf.how));
            w.text(leaf.value);
            w.number(leaf.rule);
            w.signedNumber(leaf.table_row);
            w.number(leaf.sources.size());
            for (const Source& s : leaf.sources) {
                w.number(s.offset);
                bool same = s.decoded == leaf.value;
                w.number(std::uint64_t{s.length} << 1 | (same ? 1 : 0));
                if (!same) w.text(s.decoded);
            }
        }
        w.number(op.issues.size());
        for (const std::string& i : op.issues) w.text(i);
        w.out.append(reinterpret_cast<const char*>(op.digest.data()), op.digest.size());
    }
    return std::move(w.out);
}

Result<std::vector<Operation>> decode(std::string_view bytes) {
    Reader r{bytes};
    auto broken = [] {
        return fail(Errc::malformed, "stored operations are cut off or of another layout", "operations.layout");
    };
    if (r.number() != kLayout) return broken();
    std::vector<Operation> operations(r.count());
    for (Operation& op : operations) {
        op.key = r.key();
        std::uint64_t kind = r.number(), order = r.number();
        if (kind > static_cast<std::uint64_t>(Op::presence) || order > static_cast<std::uint64_t>(Order::arrival))
            return broken();
        op.op = static_cast<Op>(kind);
        op.version.order = static_cast<Order>(order);
        op.version.parts.resize(r.count());
        for (std::int64_t& p : op.version.parts) p = r.signedNumber();
        for (std::string* t : {&op.version.text, &op.cls, &op.cancels, &op.into, &op.valid_from, &op.valid_to})
            *t = r.text();
        op.subjects.resize(r.count());
        for (RecordKey& k : op.subjects) k = r.key();
        op.mentions.resize(r.count());
        for (RecordKey& k : op.mentions) k = r.key();
        op.leaves.resize(r.count());
        for (Leaf& leaf : op.leaves) {
            leaf.path = r.text();
            std::uint64_t kinds = r.number();
            if ((kinds >> 4) > static_cast<std::uint64_t>(LeafKind::null) ||
                (kinds & 15) > static_cast<std::uint64_t>(How::absent))
                return broken();
            leaf.kind = static_cast<LeafKind>(kinds >> 4);
            leaf.how = static_cast<How>(kinds & 15);
            leaf.value = r.text();
            leaf.rule = static_cast<std::uint32_t>(r.number());
            leaf.table_row = static_cast<std::int32_t>(r.signedNumber());
            leaf.sources.resize(r.count());
            for (Source& s : leaf.sources) {
                s.offset = static_cast<std::uint32_t>(r.number());
                std::uint64_t length = r.number();
                s.length = static_cast<std::uint32_t>(length >> 1);
                s.decoded = length & 1 ? leaf.value : r.text();
            }
            if (!r.good) return broken();
        }
        op.issues.resize(r.count());
        for (std::string& i : op.issues) i = r.text();
        if (!r.good || r.in.size() < op.digest.size()) return broken();
        std::copy_n(reinterpret_cast<const std::uint8_t*>(r.in.data()), op.digest.size(), op.digest.begin());
        r.in.remove_prefix(op.digest.size());
    }
    if (!r.good || !r.in.empty()) return broken();
    return operations;
}

}  // namespace porta::schemas
