#pragma once
/// National identifiers: syntax, checksum and what they say of birth date and sex. Each scheme cites its source.
#include <string>
#include <string_view>

namespace porta::identity {

enum class IdState : unsigned char { valid, malformed, checksum, placeholder, test, contradicts, unknown_type };
std::string_view name(IdState state);

struct IdCheck {
    IdState state = IdState::unknown_type;
    std::string normalised;       ///< upper case, without separators
    std::string birth_date = {};  ///< what the number itself says (`1980-05-17`, century resolved only when certain)
    std::string sex = {};         ///< `male`, `female` or empty
};

/// type: IT-CF ES-DNI ES-NIE BE-NISS BE-BIS NL-BSN DE-IDNR DE-RVNR GB-NHS (UK-NHS) FR-NIR PT-NIF PL-PESEL RO-CNP.
/// birth_date (ISO, may be partial or empty) and sex (`male`, `female`, empty) of the record: a number that contradicts
/// them is `contradicts`.
IdCheck checkId(std::string_view type, std::string_view value, std::string_view birth_date = {},
                std::string_view sex = {});

}  // namespace porta::identity
