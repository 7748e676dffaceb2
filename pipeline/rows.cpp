#include "pipeline/rows.h"

#include <algorithm>

namespace porta::pipeline {

namespace {
/// Few sizes, since each is a prepared statement.
constexpr std::size_t kSteps[] = {64, 8, 1};
}  // namespace

void Rows::add(std::initializer_list<Value> row) {
    values_.insert(values_.end(), row.begin(), row.end());
    if (values_.size() == kSteps[0] * columns_) flush();
}

void Rows::flush() {
    for (std::size_t step : kSteps)
        while (values_.size() >= step * columns_) write(step);
}

void Rows::write(std::size_t rows) {
    std::string sql = head_ + " VALUES";
    for (std::size_t n = 0; n < rows * columns_; ++n)
        sql += (n % columns_ ? ", ?" : n ? "), (?" : " (?") + std::to_string(n + 1);
    sql += ") " + tail_;
    const auto from = values_.end() - static_cast<std::ptrdiff_t>(rows * columns_);
    std::vector<Value> some(rows * columns_);
    std::move(from, values_.end(), some.begin());
    values_.erase(from, values_.end());
    store_.run(sql, some);
}

void queryIn(Store& store, const std::string& sql, const std::vector<std::int64_t>& numbers,
             const std::function<void(const Row&)>& row) {
    const std::size_t at = sql.find(" IN ()") + 5;
    for (std::size_t from = 0; from < numbers.size();) {
        const std::size_t step = numbers.size() - from > kSteps[1] ? kSteps[0] : kSteps[1];
        std::string places;
        std::vector<Value> some;
        for (std::size_t i = 0; i < step; ++i) {
            places += (i ? ", ?" : "?") + std::to_string(i + 1);
            some.emplace_back(numbers[std::min(from + i, numbers.size() - 1)]);
        }
        store.query(sql.substr(0, at) + places + sql.substr(at), some, row);
        from += step;
    }
}

}  // namespace porta::pipeline
