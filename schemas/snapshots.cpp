#include <algorithm>
#include <cmath>

#include "schemas/fold.h"

namespace porta::schemas {

/// Accepted is computed along (instant, digest) from the first: complete, and dropping at most the allowed share of the keys
/// of the accepted one before, or confirmed by a person.
void SnapshotScope::settle() {
    std::sort(snapshots.begin(), snapshots.end(), [](const Snapshot& a, const Snapshot& b) {
        if (a.instant != b.instant) return a.instant < b.instant;
        return a.object_digest < b.object_digest;
    });
    accepted.assign(snapshots.size(), false);
    const Snapshot* before = nullptr;
    for (std::size_t i = 0; i < snapshots.size(); ++i) {
        const Snapshot& s = snapshots[i];
        if (!s.complete) continue;
        if (before && !s.confirmed) {
            std::uint64_t kept = 0;
            for (auto a = before->keys.begin(), b = s.keys.begin(); a != before->keys.end() && b != s.keys.end();) {
                if (*a < *b) ++a;
                else if (*b < *a) ++b;
                else ++kept, ++a, ++b;
            }
            // The share is configuration in decimal digits: parts per million as integers, no floating point decides.
            std::uint64_t dropped = before->keys.size() - kept;
            std::uint64_t share = static_cast<std::uint64_t>(std::llround(s.max_delete_share * 1000000));
            if (dropped * 1000000 > share * before->keys.size()) continue;
        }
        accepted[i] = true;
        before = &s;
    }
}

int SnapshotScope::deletedBy(const std::string& key) const {
    std::size_t last = snapshots.size();
    for (std::size_t i = snapshots.size(); i-- > 0;)
        if (std::binary_search(snapshots[i].keys.begin(), snapshots[i].keys.end(), key)) {
            last = i;
            break;
        }
    for (std::size_t i = last + 1; i < snapshots.size(); ++i)
        if (accepted[i]) return static_cast<int>(i);
    return -1;
}

}  // namespace porta::schemas
