#include "pipeline/embedded/local.h"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <chrono>
#include <cstdlib>

#include "base/date_time.h"

namespace porta::pipeline {

namespace {

class FileLock : public Lease {
public:
    explicit FileLock(int fd) : fd_(fd) {}
    ~FileLock() override { ::close(fd_); }
    Result<bool> hold() override { return true; }
    void check() override {}

private:
    int fd_;
};

class SystemClock : public Clock {
public:
    explicit SystemClock(std::int64_t fixed) : fixed_(fixed) {}
    std::int64_t now() const override {
        if (fixed_) return fixed_;
        return std::chrono::duration_cast<std::chrono::microseconds>(
                   std::chrono::system_clock::now().time_since_epoch())
            .count();
    }

private:
    std::int64_t fixed_;
};

}  // namespace

Result<std::unique_ptr<Lease>> lockState(const std::string& directory) {
    int fd = ::open((directory + "/owner.lock").c_str(), O_CREAT | O_RDWR | O_CLOEXEC, 0600);
    if (fd < 0) return fail(Errc::misconfigured, directory + ": the state directory cannot be written", "state");
    // A process that was killed lets go of the lock a moment after its parent has seen it die: wait a little.
    for (int i = 0; ::flock(fd, LOCK_EX | LOCK_NB) != 0; ++i) {
        if (i == 100) {
            ::close(fd);
            return fail(Errc::unavailable, "another process owns this store; stop it or let it do the work",
                        "state.locked");
        }
        ::usleep(20000);
    }
    return std::unique_ptr<Lease>(new FileLock(fd));
}

std::unique_ptr<Clock> systemClock(bool testing) {
    std::int64_t fixed = 0;
    if (const char* text = testing ? std::getenv("PORTA_CLOCK") : nullptr)
        if (auto parsed = parseIso(text))
            if (auto at = firstInstant(*parsed)) fixed = *at;
    return std::make_unique<SystemClock>(fixed);
}

}  // namespace porta::pipeline
