#pragma once
/// A record that ends the process while it is mapped must not do so for ever: the record in work is marked in a mapped page
/// of a file, which outlives the process; a start finds the mark and counts one death. Three condemn it.
#include <cstdint>
#include <map>
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
    /// tells of, and reads everybody's deaths. Errors: misconfigured, unavailable.
    Result<void> open(const std::string& directory, Store& store);
    /// Three deaths for each attempt: who asks for a replay wants to see it tried again.
    bool condemned(std::int64_t raw, std::int64_t attempts) const;

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
    std::map<std::int64_t, std::int64_t> deaths_;  ///< of records that met any, when the page was taken
};

}  // namespace porta::pipeline
