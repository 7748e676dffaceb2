#include "formats/edifact_segments.h"
#include "formats/readers.h"

namespace porta::formats::edifact {

namespace {

/// What of an interchange each of its messages needs, as `Units::context`: UNA with the six characters, then UNB-1.1.
std::string contextOf(const Signs& signs, std::string_view identifier) {
    return signs.text() + std::string(identifier);
}

/// Walks through one object: interchanges, groups, messages; the counts and references of each.
class Splitter {
public:
    explicit Splitter(std::string_view object) : bytes_(object) {}

    Result<Units> run() {
        std::size_t at = bytes_.substr(0, 3) == "\xEF\xBB\xBF" ? 3 : 0;
        auto blanks = [&] {
            while (at < bytes_.size() && (isCosmetic(bytes_[at]) || bytes_[at] == ' ')) ++at;
        };
        blanks();
        do {
            if (auto done = interchange(at); !done) return done.error();
            blanks();
        } while (at < bytes_.size());
        return std::move(out_);
    }

private:
    std::string_view bytes_;
    Units out_;
    std::size_t message_ = kNone;  ///< where the open one begins
    std::size_t messages_ = 0, groups_ = 0, in_group_ = 0;
    std::string_view interchange_, group_;  ///< references; a group's is empty outside of one
    static constexpr std::size_t kNone = ~std::size_t{0};

    /// Ends the open message: what it lacks, `parse` will tell.
    void close(std::size_t to) {
        if (message_ != kNone) out_.units.push_back({message_, to - message_});
        message_ = kNone;
    }

    Result<void> interchange(std::size_t& at) {
        auto signs = serviceString(bytes_, at);
        if (!signs) return signs.error();
        Segments segments(bytes_, *signs, at);
        auto unb = segments.next();
        if (!unb) return unb.error();
        const std::string_view identifier = segments.part(*unb, 1);
        if (auto known = charsetOf(identifier); !known) return refused(*unb, known.error().message, "edifact.charset");
        const std::string context = contextOf(*signs, identifier);
        if (!out_.context.empty() && out_.context != context)
            return refused(*unb, "interchanges of one object with different service characters or character sets",
                           "edifact.mixed");
        out_.context = context;
        interchange_ = segments.part(*unb, 5);
        if (interchange_.empty()) return refused(*unb, "UNB-5, the interchange's reference, is missing", kReference);
        messages_ = groups_ = in_group_ = 0;
        group_ = {};
        while (true) {
            if (segments.end())
                return fail(Errc::malformed, "an interchange without its UNZ", kStructure, bytes_.size(), 0);
            auto s = segments.next();
            // What is no segment belongs to its message; outside of one nothing can be split.
            if (!s && (message_ == kNone || !segments.resume())) return s.error();
            if (!s) continue;
            if (s->tag == "UNZ") {
                at = segments.at();
                return end(segments, *s);
            }
            if (auto done = service(segments, *s); !done) return done;
        }
    }

    /// A segment between UNB and UNZ.
    Result<void> service(const Segments& segments, const Segment& s) {
        if (s.tag == "UNH") {
            close(s.from);
            if (groups_ > 0 && group_.empty()) return refused(s, "a message beside the groups", kStructure);
            message_ = s.from;
            ++messages_;
            ++in_group_;
        } else if (s.tag == "UNT" && message_ != kNone) {
            close(segments.at());
        } else if (s.tag == "UNG") {
            close(s.from);
            if (!group_.empty() || (groups_ == 0 && messages_ > 0))
                return refused(s, "a group within a group or behind messages without one", kStructure);
            group_ = segments.part(s, 5);
            if (group_.empty()) return refused(s, "UNG-5, the group's reference, is missing", kReference);
            ++groups_;
            in_group_ = 0;
        } else if (s.tag == "UNE") {
            close(s.from);
            if (group_.empty()) return refused(s, "UNE without its UNG", kStructure);
            if (!isCount(segments.part(s, 1), in_group_))
                return refused(s, "UNE-1 is not the number of the group's messages", kCount);
            if (segments.part(s, 2) != group_) return refused(s, "UNE-2 is not the reference of UNG-5", kReference);
            group_ = {};
        } else if (s.tag == "UNB" || message_ == kNone) {
            return refused(s, "a segment outside of a message; UNH, UNG or UNZ expected", kStructure);
        }
        return {};
    }

    Result<void> end(const Segments& segments, const Segment& unz) {
        close(unz.from);
        if (!group_.empty()) return refused(unz, "a group without its UNE", kStructure);
        if (!isCount(segments.part(unz, 1), groups_ > 0 ? groups_ : messages_))
            return refused(unz, "UNZ-1 is not the number of the interchange's messages, or of its groups", kCount);
        if (segments.part(unz, 2) != interchange_)
            return refused(unz, "UNZ-2 is not the reference of UNB-5", kReference);
        return {};
    }
};

}  // namespace

Result<Units> split(std::string_view object) { return Splitter(object).run(); }

}  // namespace porta::formats::edifact
