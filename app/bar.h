#pragma once
/// A bar on a terminal for work over a second, nothing in a pipe.
#include <cstdint>
#include <functional>
#include <string>

namespace porta::app {

class Bar {
public:
    Bar() = default;
    ~Bar();
    Bar(const Bar&) = delete;
    Bar& operator=(const Bar&) = delete;

    /// What it is about, done, of how many; empty where nobody looks. Lives no longer than the bar.
    std::function<void(const std::string&, std::uint64_t, std::uint64_t)> progress();

private:
    bool shown_ = false;
};

}  // namespace porta::app
