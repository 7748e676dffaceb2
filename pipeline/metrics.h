#pragma once
/// Counters of this process in the Prometheus text format. Labels come from closed sets: sources, roles, outcomes, codes.
#include <cstdint>
#include <map>
#include <mutex>
#include <string>

namespace porta::pipeline {

/// Threads: any.
class Metrics {
public:
    /// `labels` as they are written: `source="hospital"`.
    void add(const std::string& name, const std::string& labels, std::int64_t n = 1);
    /// Prometheus text exposition format 0.0.4.
    std::string text() const;

private:
    mutable std::mutex mutex_;
    std::map<std::string, std::map<std::string, std::int64_t>> counters_;
};

}  // namespace porta::pipeline
