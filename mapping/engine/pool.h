#pragma once
/// Operations and their parts with the memory that they had for records before: what an outcome held that is filled again.
/// Private to mapping/engine.
#include <string_view>
#include <utility>
#include <vector>

#include "schemas/operation.h"

namespace porta::mapping {

/// Fills a vector from its beginning: what stands there is overwritten, one item after the other, and keeps its memory. What is
/// left behind the last one goes to the spare ones at the end.
template <class T>
class Refill {
public:
    Refill(std::vector<T>& items, std::vector<T>& spare) : items_(items), spare_(spare) {}
    Refill(const Refill&) = delete;
    ~Refill() { trim(); }

    std::size_t size() const { return used_; }
    void shrink(std::size_t size) { used_ = size; }
    /// It holds what it held before.
    T& next() {
        if (used_ == items_.size()) {
            if (spare_.empty()) return ++used_, items_.emplace_back();
            items_.push_back(std::move(spare_.back()));
            spare_.pop_back();
        }
        return items_[used_++];
    }
    /// Nothing stands behind the last one from here on, until it is shrunk.
    void trim() {
        while (items_.size() > used_) {
            spare_.push_back(std::move(items_.back()));
            items_.pop_back();
        }
    }

private:
    std::vector<T>& items_;
    std::vector<T>& spare_;
    std::size_t used_ = 0;
};

using Operations = Refill<schemas::Operation>;
using Leaves = Refill<schemas::Leaf>;

/// Threads: one. What was never given back is made new, so that whoever keeps an outcome pays for it as before.
class Pool {
public:
    /// The next one, as if new, but for its keys and leaves: they are filled again.
    static schemas::Operation& operation(Operations& to) {
        schemas::Operation& op = to.next();
        for (std::string* text : {&op.version.text, &op.cls, &op.cancels, &op.into, &op.valid_from, &op.valid_to})
            text->clear();
        op.version.order = schemas::Order::instant;
        op.version.parts.clear();
        op.issues.clear();
        op.op = schemas::Op::upsert;
        op.digest = {};
        return op;
    }
    Operations refill(std::vector<schemas::Operation>& operations) { return {operations, operations_}; }
    Leaves refill(std::vector<schemas::Leaf>& leaves) { return {leaves, leaves_}; }
    Refill<schemas::Source> refill(std::vector<schemas::Source>& sources) { return {sources, sources_}; }
    Refill<schemas::RecordKey> refill(std::vector<schemas::RecordKey>& keys) { return {keys, keys_}; }

private:
    std::vector<schemas::Operation> operations_;
    std::vector<schemas::Leaf> leaves_;
    std::vector<schemas::Source> sources_;
    std::vector<schemas::RecordKey> keys_;
};

}  // namespace porta::mapping
