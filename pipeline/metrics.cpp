#include "pipeline/metrics.h"

namespace porta::pipeline {

void Metrics::add(const std::string& name, const std::string& labels, std::int64_t n) {
    std::lock_guard lock(mutex_);
    counters_[name][labels] += n;
}

std::string Metrics::text() const {
    std::lock_guard lock(mutex_);
    std::string out;
    for (const auto& [name, series] : counters_) {
        out += "# TYPE " + name + " counter\n";
        for (const auto& [labels, n] : series)
            out += name + (labels.empty() ? "" : "{" + labels + "}") + " " + std::to_string(n) + "\n";
    }
    return out;
}

}  // namespace porta::pipeline
