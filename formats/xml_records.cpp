// Record elements of a large XML document as units of their own. What is left of the document without them, its envelope, is
// small and must be well-formed; a record that is not costs only itself.
#include <algorithm>

#include "formats/charset.h"
#include "formats/readers.h"
#include "formats/xml_document.h"

namespace porta::formats::xml {

namespace {

constexpr std::size_t kNone = std::string_view::npos;

bool endsName(char c) { return c == ' ' || c == '\t' || c == '\r' || c == '\n' || c == '/' || c == '>'; }

/// Tags of a text in which markup is ASCII; comments, instructions and CDATA are passed over.
class Tags {
public:
    explicit Tags(std::string_view text) : text_(text) {}

    struct Tag {
        std::size_t from = 0, to = 0;  ///< with its angle brackets
        std::string_view name;         ///< with its prefix
        bool ends = false, empty = false;
    };
    /// The next tag; false at the end, or where a tag has none.
    bool next(Tag& tag) {
        while ((at_ = text_.find('<', at_)) != kNone) {
            const std::string_view rest = text_.substr(at_);
            if (rest.substr(0, 4) == "<!--") pass("-->");
            else if (rest.substr(0, 9) == "<![CDATA[") pass("]]>");
            else if (rest.substr(0, 2) == "<?") pass("?>");
            else if (rest.substr(0, 2) == "<!") pass(">");
            else return take(tag);
            if (at_ == kNone) return false;
        }
        return false;
    }

private:
    std::string_view text_;
    std::size_t at_ = 0;

    void pass(std::string_view end) {
        at_ = text_.find(end, at_);
        if (at_ != kNone) at_ += end.size();
    }
    bool take(Tag& tag) {
        tag = {at_, at_, {}, text_.substr(at_ + 1, 1) == "/", false};
        const std::size_t name = at_ + 1 + tag.ends;
        std::size_t stop = name;
        while (stop < text_.size() && !endsName(text_[stop])) ++stop;
        tag.name = text_.substr(name, stop - name);
        for (; stop < text_.size() && text_[stop] != '>'; ++stop) {
            if (text_[stop] != '"' && text_[stop] != '\'') continue;
            stop = text_.find(text_[stop], stop + 1);
            if (stop == kNone) break;
        }
        if (stop >= text_.size()) return false;
        tag.empty = text_[stop - 1] == '/';
        at_ = tag.to = stop + 1;
        return true;
    }
};

bool isRecord(std::string_view name, std::string_view record) {
    const std::size_t colon = name.find(':');
    return name == record || (colon != kNone && name.substr(colon + 1) == record);
}

/// The namespace declarations of a start tag, each with a blank before it.
std::string declarations(std::string_view tag) {
    std::string out;
    for (std::size_t at = 0; (at = tag.find("xmlns", at)) != kNone;) {
        const std::size_t open = tag.find_first_of("\"'", at);
        const std::size_t close = open == kNone ? kNone : tag.find(tag[open], open + 1);
        if (close == kNone) break;
        if (tag[at - 1] == ' ' || tag[at - 1] == '\t' || tag[at - 1] == '\r' || tag[at - 1] == '\n')
            out.append(1, ' ').append(tag.substr(at, close + 1 - at));
        at = close + 1;
    }
    return out;
}

}  // namespace

Result<Units> splitRecords(std::string_view object, const std::string& record) {
    auto encoding = encodingOf(object);
    if (!encoding) return encoding.error();
    const std::size_t width = encoding->wide ? 2 : 1;
    std::string narrow;
    if (encoding->wide) narrow = narrowed(object, encoding->name == "utf-16be");
    const std::string_view text = encoding->wide ? std::string_view(narrow) : object;

    Units out;
    std::string spaces, first_spaces;
    std::vector<std::size_t> open;  ///< how much of `spaces` stood before each ancestor
    std::string envelope;
    std::vector<std::pair<std::size_t, std::size_t>> pieces;  ///< where each begins, in the envelope and in the text
    std::size_t kept = 0;                                     ///< the envelope has what stands before it
    auto keep = [&](std::size_t to) {
        pieces.emplace_back(envelope.size(), kept);
        envelope += text.substr(kept, to - kept);
    };
    Tags tags(text);
    for (Tags::Tag tag; tags.next(tag);) {
        if (!tag.ends && isRecord(tag.name, record)) {
            const std::size_t from = tag.from;
            std::size_t to = tag.to, nested = tag.empty ? 0 : 1;
            for (Tags::Tag inner; nested > 0;) {
                if (!tags.next(inner)) {
                    to = text.size();
                    break;
                }
                if (inner.name == tag.name && !inner.empty) nested += inner.ends ? -1 : 1;
                to = inner.to;
            }
            if (out.units.empty()) first_spaces = spaces;
            if (spaces != first_spaces)
                return fail(Errc::malformed, "records below elements with different namespace declarations",
                            "xml.records", from * width, tag.name.size());
            keep(from);
            kept = to;
            out.units.push_back({from * width, std::min(to * width, object.size()) - from * width});
        } else if (tag.ends) {
            if (!open.empty()) {
                spaces.resize(open.back());
                open.pop_back();
            }
        } else if (!tag.empty) {
            open.push_back(spaces.size());
            spaces += declarations(text.substr(tag.from, tag.to - tag.from));
        }
    }
    keep(text.size());
    // Only markup counts here, which is ASCII; what other bytes mean is for the records to say. The declaration has been read.
    const std::size_t declared = envelope.substr(0, 8).find("<?xml") == kNone ? 0 : envelope.find("?>") + 2;
    for (std::size_t i = 0; i < envelope.size(); ++i)
        if (i < declared || (static_cast<unsigned char>(envelope[i]) >= 0x80 && i < 3)) envelope[i] = ' ';
        else if (static_cast<unsigned char>(envelope[i]) >= 0x80) envelope[i] = 'x';
    NodeTree tree;
    if (auto well = parse(envelope, {}, false, tree); !well) {
        Error error = well.error();
        error.message = "around the records: " + error.message;
        auto piece =
            std::find_if(pieces.rbegin(), pieces.rend(), [&](const auto& p) { return p.first <= error.offset; });
        if (piece != pieces.rend()) error.offset = (piece->second + error.offset - piece->first) * width;
        error.offset = std::min<std::uint64_t>(error.offset, object.size());
        return error;
    }
    out.context = encoding->name + "\n" + first_spaces;
    return out;
}

}  // namespace porta::formats::xml
