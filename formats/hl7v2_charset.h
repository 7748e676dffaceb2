#pragma once
/// The character set of one HL7 v2 message (MSH-18, table 0211) and its values as UTF-8: escape sequences of chapter 2, 2.7,
/// and switching within a value (ISO 2022), after which every separator begins with the first set again.
#include <string>
#include <string_view>

#include "base/result.h"
#include "formats/charset.h"

namespace porta::formats::hl7v2 {

/// The delimiters of MSH-1 and MSH-2; 0 where the message has none.
struct Delimiters {
    char field = '|', component = '^', repetition = '~', escape = '\\', subcomponent = '&', truncation = 0;
};

class MessageCharset {
public:
    /// `names`: MSH-18 as it stands. Empty, or ASCII bytes under a name that nobody knows: `encoding`, the source's.
    /// Errors: malformed, when a name is none of table 0211 and none of an encoding; misconfigured for `encoding`.
    static Result<MessageCharset> of(std::string_view names, char repetition, const std::string& encoding);

    /// True when a byte of a longer character can look like a delimiter: then delimiters are looked for in `masked`.
    bool masks() const { return trailing_ || shifts_; }
    /// The message with every byte of such characters replaced by 0x80; of the same length.
    std::string masked(std::string_view message) const;

    /// Text with what escapes and bytes mean. `scan`: the same bytes, masked. A view of `text`, or of `buffer`.
    /// Errors: malformed; offset within `text` when it holds no escape.
    Result<std::string_view> decode(std::string_view text, std::string_view scan, const Delimiters& d,
                                    std::string& buffer) const;

private:
    const Charset* first_ = nullptr;
    const Charset* shifting_ = nullptr;  ///< reads texts from their first ISO 2022 escape sequence on
    bool known_ = true;                  ///< false: a name that nobody knows, well as long as bytes are ASCII
    bool trailing_ = false;              ///< GB 18030, BIG-5: second bytes below 0x80
    bool shifts_ = false;                ///< ISO 2022: characters of two bytes below 0x80 behind an escape sequence
};

}  // namespace porta::formats::hl7v2
