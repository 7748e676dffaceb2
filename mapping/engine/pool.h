#pragma once
/// Operations and their parts with the memory that they had for records before: what an outcome held that is filled again.
/// Private to mapping/engine.
#include <string_view>
#include <vector>

#include "schemas/operation.h"

namespace porta::mapping {

/// Threads: one. What was never given back is made new, so that whoever keeps an outcome pays for it as before.
class Pool {
public:
    /// Takes all of it apart; `operations` is empty then. What stood first is given out first again: records of one kind find
    /// texts of the right size.
    void giveBack(std::vector<schemas::Operation>& operations) {
        for (auto op = operations.rbegin(); op != operations.rend(); ++op) {
            giveBack(op->leaves, 0);
            for (auto* keys : {&op->mentions, &op->subjects}) {
                for (auto key = keys->rbegin(); key != keys->rend(); ++key) keys_.push_back(std::move(*key));
                keys->clear();
            }
            operations_.push_back(std::move(*op));
        }
        operations.clear();
    }
    /// The leaves from `first` on.
    void giveBack(std::vector<schemas::Leaf>& leaves, std::size_t first) {
        while (leaves.size() > first) {
            std::vector<schemas::Source>& sources = leaves.back().sources;
            for (auto s = sources.rbegin(); s != sources.rend(); ++s) sources_.push_back(std::move(*s));
            sources.clear();
            leaves_.push_back(std::move(leaves.back()));
            leaves.pop_back();
        }
    }

    /// Appended, as if new: everything but its memory is reset.
    schemas::Operation& operation(std::vector<schemas::Operation>& to) {
        schemas::Operation& op = last(operations_, to);
        for (std::string* text : {&op.version.text, &op.cls, &op.cancels, &op.into, &op.valid_from, &op.valid_to})
            text->clear();
        op.version.order = schemas::Order::instant;
        op.version.parts.clear();
        op.issues.clear();
        op.op = schemas::Op::upsert;
        op.digest = {};
        return op;
    }
    schemas::Leaf& leaf(std::vector<schemas::Leaf>& to) {
        schemas::Leaf& l = last(leaves_, to);
        l.path.clear();
        l.value.clear();
        l.kind = schemas::LeafKind::text;
        l.how = schemas::How::copied;
        l.rule = 0;
        l.table_row = -1;
        return l;
    }
    void source(std::uint32_t offset, std::uint32_t length, std::string_view decoded,
                std::vector<schemas::Source>& to) {
        schemas::Source& s = last(sources_, to);
        s.offset = offset;
        s.length = length;
        s.decoded = decoded;
    }
    static void name(schemas::RecordKey& key, std::string_view source, std::string_view entity, std::string_view id) {
        key.source = source;
        key.entity = entity;
        key.local_id = id;
    }
    void key(std::string_view source, std::string_view entity, std::string_view id,
             std::vector<schemas::RecordKey>& to) {
        name(last(keys_, to), source, entity, id);
    }

private:
    template <class T>
    static T& last(std::vector<T>& spare, std::vector<T>& to) {
        if (spare.empty()) return to.emplace_back();
        to.push_back(std::move(spare.back()));
        spare.pop_back();
        return to.back();
    }
    std::vector<schemas::Operation> operations_;
    std::vector<schemas::Leaf> leaves_;
    std::vector<schemas::Source> sources_;
    std::vector<schemas::RecordKey> keys_;
};

}  // namespace porta::mapping
