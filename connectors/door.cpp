#include "connectors/door.h"

#include <fstream>

namespace porta::connectors {

namespace {

/// Compared without telling where it differs. A file that is missing or empty admits nobody.
bool admits(const std::string& token_file, const std::string& given) {
    std::string token;
    std::ifstream in(token_file);
    std::getline(in, token);
    unsigned difference = token.empty() || token.size() != given.size();
    for (std::size_t i = 0; i < token.size() && i < given.size(); ++i)
        difference |= static_cast<unsigned>(token[i] ^ given[i]);
    return difference == 0;
}

Error unknownSource() { return fail(Errc::not_found, "no source of that name takes records here", "push.source"); }

}  // namespace

Reply Queue::inTurn(const std::function<Reply()>& work) {
    {
        std::lock_guard lock(counter_);
        if (waiting_ == longest_) return Reply::busy();
        ++waiting_;
    }
    std::lock_guard turn(turn_);
    {
        std::lock_guard lock(counter_);
        --waiting_;
    }
    return work();
}

Result<void> Door::admit(const std::string& id, const std::string& token) const {
    auto source = sources_.find(id);
    if (source == sources_.end()) return unknownSource();
    if (source->second && !admits(*source->second, token))
        return fail(Errc::denied, "the token is not the one of this source", "push.token");
    return {};
}

Reply Door::push(const std::string& id, std::string bytes) {
    if (!sources_.count(id)) return Reply::refused(unknownSource());
    return queue_.inTurn([&] {
        auto delivered = deliver_(id, std::move(bytes));
        return delivered ? Reply::durable(*delivered) : Reply::refused(delivered.error());
    });
}

}  // namespace porta::connectors
