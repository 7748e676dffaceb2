#include "base/durable.h"

#include <fcntl.h>
#include <unistd.h>

#include <filesystem>

namespace porta {

namespace fs = std::filesystem;

Result<void> syncDirectory(const std::string& path) {
    int fd = ::open(path.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    bool good = fd >= 0 && ::fsync(fd) == 0;
    if (fd >= 0) ::close(fd);
    if (good) return {};
    return fail(Errc::unavailable, path + ": the directory cannot be synced; check its permissions and its disk",
                "directory.sync");
}

Result<void> makeDirectory(const std::string& path) {
    fs::path whole = fs::absolute(path).lexically_normal();
    if (!whole.has_filename()) whole = whole.parent_path();
    const fs::path above = whole.parent_path();
    std::error_code error;
    if (!fs::exists(above, error))
        if (auto r = makeDirectory(above.string()); !r) return r;
    bool made = fs::create_directory(whole, error);
    if (error || !fs::is_directory(whole, error))
        return fail(Errc::misconfigured, path + ": the directory cannot be made; check the permissions above it",
                    "directory");
    // Also when it stood there: who made it may have died before the sync. A parent that is closed to us is not ours.
    auto synced = syncDirectory(above.string());
    return made || ::access(above.c_str(), R_OK) == 0 ? synced : Result<void>{};
}

}  // namespace porta
