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

Result<void> writeFile(const std::string& path, std::string_view bytes) {
    const std::string beside = path + ".new";
    int fd = ::open(beside.c_str(), O_CREAT | O_TRUNC | O_WRONLY | O_CLOEXEC, 0600);
    bool good = fd >= 0;
    for (std::size_t have = 0; good && have < bytes.size();) {
        ssize_t n = ::write(fd, bytes.data() + have, bytes.size() - have);
        good = n > 0;
        if (good) have += static_cast<std::size_t>(n);
    }
    good = good && ::fsync(fd) == 0;
    if (fd >= 0) ::close(fd);
    std::error_code error;
    if (good) fs::rename(beside, path, error);
    if (!good || error)
        return fail(Errc::unavailable, path + ": cannot be written; check the directory's permissions and space",
                    "file.write");
    return syncDirectory(fs::path(path).parent_path().string());
}

}  // namespace porta
