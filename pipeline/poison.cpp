#include "pipeline/poison.h"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <unistd.h>

namespace porta::pipeline {

namespace {
constexpr std::int64_t kDeaths = 3;
constexpr std::size_t kPage = 4096;
}  // namespace

Poison::~Poison() {
    if (page_) ::munmap(const_cast<std::int64_t*>(page_), kPage);
    if (fd_ >= 0) ::close(fd_);
}

bool Poison::condemned(std::int64_t raw, std::int64_t attempts) const {
    auto it = deaths_.find(raw);
    return it != deaths_.end() && it->second >= kDeaths * attempts;
}

Result<void> Poison::open(const std::string& directory, Store& store) {
    auto refuse = [&](const char* what) {
        return fail(Errc::misconfigured,
                    directory + ": " + what + "; check the state directory's permissions and space", "state.page");
    };
    // The lock dies with its process, the page does not: the first unlocked page is a dead process's, or new.
    for (int slot = 0; fd_ < 0; ++slot) {
        int fd = ::open((directory + "/work." + std::to_string(slot)).c_str(), O_CREAT | O_RDWR | O_CLOEXEC, 0600);
        if (fd < 0) return refuse("no page for the record in work can be made");
        if (::flock(fd, LOCK_EX | LOCK_NB) == 0) fd_ = fd;
        else ::close(fd);
    }
    // Room for the page is taken now: a write into a hole of a full disk would end the process.
    if (::posix_fallocate(fd_, 0, static_cast<off_t>(kPage)) != 0)
        return fail(Errc::unavailable,
                    directory + ": no room for the page of the record in work; make room, the work goes on by itself",
                    "store.full");
    void* at = ::mmap(nullptr, kPage, PROT_READ | PROT_WRITE, MAP_SHARED, fd_, 0);
    if (at == MAP_FAILED) return refuse("the page of the record in work cannot be mapped");
    page_ = static_cast<volatile std::int64_t*>(at);
    auto done = store.transact([&] {
        if (std::int64_t raw = *page_)
            store.run(
                "INSERT INTO poison(raw, deaths) VALUES(?1, 1) ON CONFLICT(raw) DO UPDATE SET deaths = poison.deaths + "
                "1",
                {raw});
    });
    if (!done) return done;
    *page_ = 0;
    try {
        store.query("SELECT raw, deaths FROM poison", {}, [&](const Row& r) { deaths_[r.integer(0)] = r.integer(1); });
    } catch (const Failure& f) {
        return f.error;
    }
    return {};
}

}  // namespace porta::pipeline
