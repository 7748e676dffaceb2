#include "base/result.h"

namespace porta {

std::string_view name(Errc code) {
    switch (code) {
        case Errc::malformed: return "malformed";
        case Errc::unmapped: return "unmapped";
        case Errc::conflict: return "conflict";
        case Errc::denied: return "denied";
        case Errc::not_found: return "not_found";
        case Errc::unavailable: return "unavailable";
        case Errc::exhausted: return "exhausted";
        case Errc::misconfigured: return "misconfigured";
        case Errc::internal: return "internal";
    }
    return "internal";
}

int httpStatus(Errc code) {
    switch (code) {
        case Errc::malformed:
        case Errc::unmapped: return 422;
        case Errc::conflict: return 409;
        case Errc::denied: return 403;
        case Errc::not_found: return 404;
        case Errc::unavailable: return 503;
        case Errc::exhausted: return 429;
        case Errc::misconfigured:
        case Errc::internal: return 500;
    }
    return 500;
}

int exitCode(Errc code) {
    switch (code) {
        case Errc::denied: return 5;
        case Errc::unavailable:
        case Errc::exhausted: return 75;
        case Errc::misconfigured: return 78;
        case Errc::malformed:
        case Errc::unmapped:
        case Errc::conflict:
        case Errc::not_found:
        case Errc::internal: return 1;
    }
    return 1;
}

}  // namespace porta
