#include "pipeline/keys.h"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <mutex>
#include <unordered_map>

#include "base/durable.h"
#include "base/hash.h"
#include "pipeline/rows.h"

namespace porta::pipeline {

namespace {

/// A wrapped key: nonce (12) + AES-256-GCM of the key (32) + tag (16).
constexpr std::size_t kWrapped = 60;
/// Numbers are dense, and neighbours are mostly asked for together: keys are read in blocks of this many then.
constexpr std::int64_t kBlock = 64;
constexpr std::size_t kRemembered = 1 << 16;

class WrappedKeys : public Keys {
public:
    WrappedKeys(std::unique_ptr<Store> store, const Key& master)
        : store_(std::move(store)),
          wrapping_(deriveKey(master, "porta wrap 1")),
          index_(deriveKey(master, "porta index 1")) {}

    std::vector<Key> create(const std::vector<std::int64_t>& numbers) override {
        std::lock_guard lock(mutex_);
        read(numbers);
        std::vector<std::int64_t> missing;
        for (std::int64_t no : numbers)
            if (!known_.count(no)) missing.push_back(no);
        if (!missing.empty()) {
            auto done = store_->transact([&] {
                Rows rows(*store_, "INSERT INTO wrapped(no, key)", 2, "ON CONFLICT DO NOTHING");
                for (std::int64_t no : missing) rows.add({no, Blob{wrap(randomKey())}});
                rows.flush();
            });
            if (!done) throw Failure{done.error()};
            // Read back: another process may have given the same numbers their keys meanwhile.
            read(numbers);
        }
        std::vector<Key> keys;
        for (std::int64_t no : numbers) keys.push_back(known_.at(no));
        return keys;
    }

    Result<Key> find(std::int64_t number) override {
        std::lock_guard lock(mutex_);
        // Whoever asks in order gets blocks; who asks here and there, as for a view, gets the one key.
        const bool in_order = std::abs(number - asked_) <= kBlock;
        asked_ = number;
        auto it = known_.find(number);
        if (it != known_.end()) return it->second;
        try {
            std::int64_t from = number - ((number % kBlock) + kBlock) % kBlock;
            if (in_order) range(from, from + kBlock - 1);
            else range(number, number);
        } catch (const Failure& f) {
            return f.error;
        }
        it = known_.find(number);
        if (it == known_.end())
            return fail(Errc::not_found,
                        "no key for this record: erased, or the key store is not the one of this store",
                        "keys.missing");
        return it->second;
    }
    void fetch(std::vector<std::int64_t> numbers) override {
        std::lock_guard lock(mutex_);
        read(std::move(numbers));
    }
    const Key& indexKey() const override { return index_; }

private:
    std::mutex mutex_;
    std::unique_ptr<Store> store_;
    Key wrapping_, index_;
    std::unordered_map<std::int64_t, Key> known_;
    std::int64_t asked_ = 0;  ///< the number before

    bool opens_ = true;

    void take(const Row& r) {
        std::string_view wrapped = r.bytes(1);
        Nonce nonce;
        if (wrapped.size() == kWrapped) std::memcpy(nonce.data(), wrapped.data(), nonce.size());
        auto plain = wrapped.size() == kWrapped
                         ? openBox(wrapping_, nonce, wrapped.substr(nonce.size()))
                         : Result<std::string>(fail(Errc::malformed, "a wrapped key is cut off"));
        opens_ = opens_ && plain;
        if (plain) std::memcpy(known_[r.integer(0)].data(), plain->data(), sizeof(Key));
    }

    static Failure foreign() {
        return Failure{fail(Errc::misconfigured,
                            "the key file does not open this key store; give the key file that belongs to it",
                            "keys.file")};
    }

    std::string wrap(const Key& key) const {
        Nonce nonce;
        randomBytes(nonce.data(), nonce.size());
        const std::string_view plain(reinterpret_cast<const char*>(key.data()), key.size());
        return std::string(reinterpret_cast<const char*>(nonce.data()), nonce.size()) +
               sealBox(wrapping_, nonce, plain);
    }

    void range(std::int64_t first, std::int64_t last) {
        if (known_.size() > kRemembered) known_.clear();
        opens_ = true;
        store_->query("SELECT no, key FROM wrapped WHERE no BETWEEN ?1 AND ?2", {first, last},
                      [&](const Row& r) { take(r); });
        if (!opens_) throw foreign();
    }

    /// Those of the numbers that have a key are known afterwards.
    void read(std::vector<std::int64_t> numbers) {
        if (known_.size() > kRemembered) known_.clear();
        std::sort(numbers.begin(), numbers.end());
        numbers.erase(std::unique(numbers.begin(), numbers.end()), numbers.end());
        std::erase_if(numbers, [&](std::int64_t n) { return known_.count(n) > 0; });
        if (numbers.empty()) return;
        if (numbers.back() - numbers.front() < static_cast<std::int64_t>(2 * numbers.size()))
            return range(numbers.front(), numbers.back());
        opens_ = true;
        queryIn(*store_, "SELECT no, key FROM wrapped WHERE no IN ()", numbers, [&](const Row& r) { take(r); });
        if (!opens_) throw foreign();
    }
};

}  // namespace

Result<Key> loadKeyFile(const std::string& path, bool may_create) {
    std::ifstream in(path);
    std::string text;
    if (in && std::getline(in, text)) {
        // Nothing may be sealed with a key whose name is not durable: who made it may have died before the sync.
        if (may_create)
            if (auto r = syncDirectory(std::filesystem::path(path).parent_path().string()); !r) return r.error();
        Key key;
        auto digit = [](char c) {
            return c >= '0' && c <= '9'   ? c - '0'
                   : c >= 'a' && c <= 'f' ? c - 'a' + 10
                   : c >= 'A' && c <= 'F' ? c - 'A' + 10
                                          : -1;
        };
        if (text.size() != 64)
            return fail(Errc::misconfigured, path + ": 64 hexadecimal digits are expected", "keys.file");
        for (std::size_t i = 0; i < 32; ++i) {
            int high = digit(text[2 * i]), low = digit(text[2 * i + 1]);
            if (high < 0 || low < 0)
                return fail(Errc::misconfigured, path + ": 64 hexadecimal digits are expected", "keys.file");
            key[i] = static_cast<std::uint8_t>(high * 16 + low);
        }
        return key;
    }
    if (!may_create)
        return fail(Errc::misconfigured,
                    path +
                        ": the key file is missing, and the key store is not empty; put back the key file that belongs "
                        "to this store",
                    "keys.file");
    const std::string directory = std::filesystem::path(path).parent_path().string();
    if (auto r = makeDirectory(directory); !r) return r.error();
    // Written beside and linked into place: several processes may start at once, and one of them makes the key. The name
    // beside is new each time: in a container the process that died here before had the same number.
    std::string beside = path + ".XXXXXX";
    int fd = ::mkostemp(beside.data(), O_CLOEXEC);
    if (fd < 0)
        return fail(Errc::misconfigured, path + ": the key file cannot be created; check the directory's permissions",
                    "keys.file");
    Key key = randomKey();
    std::string line = hex(key.data(), key.size()) + "\n";
    bool good = ::write(fd, line.data(), line.size()) == static_cast<ssize_t>(line.size()) && ::fsync(fd) == 0;
    ::close(fd);
    bool linked = good && ::link(beside.c_str(), path.c_str()) == 0;
    ::unlink(beside.c_str());
    good = good && syncDirectory(directory);
    if (!good) return fail(Errc::misconfigured, path + ": the key file cannot be written", "keys.file");
    return linked ? Result<Key>(key) : loadKeyFile(path, false);
}

Result<void> makeKeyTable(Store& store) {
    return store.exclusive(
        [&] { store.run("CREATE TABLE IF NOT EXISTS wrapped(no INTEGER PRIMARY KEY, key BLOB NOT NULL)"); });
}

std::string keyFileName(const Key& master) { return hex(deriveKey(master, "porta key file name 1").data(), 8); }

Result<std::unique_ptr<Keys>> openKeys(std::unique_ptr<Store> store, const std::string& key_file, bool read_only) {
    bool empty = true;
    if (!read_only)
        if (auto made = makeKeyTable(*store); !made) return made.error();
    try {
        store->query("SELECT 1 FROM wrapped LIMIT 1", {}, [&](const Row&) { empty = false; });
    } catch (const Failure& f) {
        return f.error;
    }
    auto master = loadKeyFile(key_file, empty && !read_only);
    if (!master) return master.error();
    return std::unique_ptr<Keys>(new WrappedKeys(std::move(store), *master));
}

}  // namespace porta::pipeline
