#include "app/bar.h"

#include <unistd.h>

#include <iostream>

namespace porta::app {

std::function<void(const std::string&, std::uint64_t, std::uint64_t)> Bar::progress() {
    if (!::isatty(2)) return {};
    return [this](const std::string& what, std::uint64_t done, std::uint64_t total) {
        shown_ = true;
        std::string bar(total ? done * 30 / total : 30, '#');
        bar.resize(30, '.');
        std::cerr << "\r" << bar << " " << done << "/" << total << " " << what << "      " << std::flush;
    };
}

Bar::~Bar() {
    if (shown_) std::cerr << "\r" << std::string(78, ' ') << "\r";
}

}  // namespace porta::app
