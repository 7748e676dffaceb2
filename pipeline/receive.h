#pragma once
/// What a recipient reads of `porta.views.<purpose>`: the newest revision of each person, in any order of arrival.
///
///     auto receiver = Receiver::open(settings, purpose);
///     while (!(*receiver)->complete())
///         for (const ViewMessage& d : *(*receiver)->poll(200)) newest[d.person] = *(*receiver)->line(d);
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "pipeline/project.h"

namespace porta::pipeline {

/// Threads: one.
class Receiver {
public:
    /// Errors: misconfigured (no Kafka, no recipients), unavailable (also when the configuration is not the one that project
    /// delivers by).
    static Result<std::unique_ptr<Receiver>> open(const config::Settings& settings, const policy::Purpose& purpose);
    /// The same over a store, keys and log of the caller's, which must outlive it.
    static Result<std::unique_ptr<Receiver>> over(const config::Settings& settings, const policy::Purpose& purpose,
                                                  Store& store, Keys& keys, Log& log);
    /// Revisions above those that came before, the greatest of each person, ascending by person. Errors: unavailable.
    Result<std::vector<ViewMessage>> poll(int wait_ms);
    /// Whether everything has come that was marked as sent when this was opened.
    bool complete() const { return expected_.empty(); }
    /// The line as it was delivered, without time (`views::joinTimes`); empty: no longer there.
    /// Errors: not_found (erased), malformed.
    Result<std::string> line(const ViewMessage& delivery);

private:
    Receiver(std::string purpose, Keys& keys) : purpose_(std::move(purpose)), keys_(keys) {}
    std::unique_ptr<Store> own_store_;
    std::unique_ptr<Keys> own_keys_;
    std::unique_ptr<Log> own_log_;
    std::string purpose_;
    Keys& keys_;
    std::unique_ptr<LogReader> reader_;
    std::map<std::int64_t, std::int64_t> expected_, seen_;  ///< person → revision
};

}  // namespace porta::pipeline
