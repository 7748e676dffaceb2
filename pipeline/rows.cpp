#include "pipeline/rows.h"

#include <iterator>

namespace porta::pipeline {

namespace {
/// Few sizes, since each is a prepared statement.
constexpr std::size_t kSteps[] = {64, 8, 1};
}  // namespace

void Rows::add(std::vector<Value> row) {
    values_.insert(values_.end(), std::make_move_iterator(row.begin()), std::make_move_iterator(row.end()));
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
    std::vector<Value> some(std::make_move_iterator(values_.end() - static_cast<std::ptrdiff_t>(rows * columns_)),
                            std::make_move_iterator(values_.end()));
    values_.resize(values_.size() - some.size());
    store_.run(sql, some);
}

}  // namespace porta::pipeline
