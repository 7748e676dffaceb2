#pragma once
/// What the tests of readers share.
#include <initializer_list>
#include <string>

#include "formats/format.h"

namespace porta::formats {

/// The text at the end of a path of names from the root; `<none>` when there is no such node.
inline std::string path(const NodeTree& tree, std::initializer_list<const char*> steps) {
    NodeId at = tree.root();
    for (const char* s : steps) {
        at = tree.child(at, s);
        if (at == kNoNode) return "<none>";
    }
    return tree[at].kind == NodeKind::null ? "<null>" : std::string(tree[at].text);
}

inline Settings settings(Kind kind) {
    Settings s;
    s.kind = kind;
    return s;
}

}  // namespace porta::formats
