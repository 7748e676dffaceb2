#pragma once
/// A record that ends the process while it is mapped must not do so for ever: the record in work is marked in a mapped page
/// of a file, which outlives the process; a start finds the mark and counts one death. Three condemn the record.
#include <cstdint>
#include <set>
#include <string>

#include "pipeline/store.h"

namespace porta::pipeline {

class Poison {
public:
    Poison() = default;
    ~Poison();
    Poison(const Poison&) = delete;
    Poison& operator=(const Poison&) = delete;

    /// Takes a page of its own below `directory` (one that a dead process left, or a new one), counts the death that it
    /// tells of, and reads who is condemned. Errors: misconfigured, unavailable.
    Result<void> open(const std::string& directory, Store& store);
    bool condemned(std::int64_t raw) const { return condemned_.count(raw) > 0; }

    /// Marks a raw record for as long as it lives.
    class InWork {
    public:
        InWork(Poison& poison, std::int64_t raw) : page_(poison.page_) {
            if (page_) *page_ = raw;
        }
        ~InWork() {
            if (page_) *page_ = 0;
        }
        InWork(const InWork&) = delete;
        InWork& operator=(const InWork&) = delete;

    private:
        volatile std::int64_t* page_;
    };

private:
    volatile std::int64_t* page_ = nullptr;
    int fd_ = -1;
    std::set<std::int64_t> condemned_;
};

}  // namespace porta::pipeline
