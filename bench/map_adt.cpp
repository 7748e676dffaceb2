// One 0.2 kB ADT message → operations, on one core, with the mapping library alone: read, mapped, sealed, nothing stored.
// Prints the median of the rounds, their spread, and messages and bytes a second. map_adt [ROUNDS]
#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <string>
#include <vector>

#include "mapping/engine/program.h"

namespace {

using porta::mapping::Outcome;
using porta::mapping::Program;
using porta::mapping::State;

// An invented admission of 0.2 kB, the size of the messages that a ward sends most.
const std::string kMessage =
    "MSH|^~\\&|WARD|HOSP|PORTA|TOWN|20240301080000||ADT^A01|C1|P|2.5\r"
    "EVN|A01|20240301080000\r"
    "PID|1||H1^^^HOSP^MR||Zefirelli^Ada||19550612|F|||Via Uno^^Nord\r"
    "PV1|1|I|W1^R2^B3||||||||||||||||V1|||||||||||||||||||||||||20240301080000\r";

constexpr int kMessagesPerRound = 20000;

}  // namespace

int main(int argc, char** argv) {
    int rounds = argc > 1 ? std::max(1, std::atoi(argv[1])) : 15;
    auto program = Program::load(std::string(PORTA_ROOT) + "/mapping/library/hl7v2-adt.yaml");
    if (!program) {
        std::fprintf(stderr, "map_adt: %s\n", program.error().message.c_str());
        return 1;
    }
    porta::formats::Settings format = (*program)->format();
    porta::mapping::Input input;
    input.bytes = kMessage;
    input.source = "ward";
    input.time_zone = "Europe/Rome";
    porta::formats::NodeTree tree;
    // The answer first: a figure for a message that is refused would be a figure for nothing.
    Outcome first = (*program)->map(format, input, tree);
    if (first.state != State::published || first.operations.empty()) {
        std::fprintf(stderr, "map_adt: the message is not published: %s%s\n", first.rule.c_str(),
                     first.error.message.c_str());
        return 1;
    }
    std::vector<double> micros;
    std::size_t operations = 0;
    for (int r = -1; r < rounds; ++r) {  // the first round warms up
        auto start = std::chrono::steady_clock::now();
        for (int i = 0; i < kMessagesPerRound; ++i)
            operations += (*program)->map(format, input, tree).operations.size();
        std::chrono::duration<double, std::micro> took = std::chrono::steady_clock::now() - start;
        if (r >= 0) micros.push_back(took.count() / kMessagesPerRound);
    }
    if (operations != first.operations.size() * kMessagesPerRound * (rounds + 1ul)) {
        std::fprintf(stderr, "map_adt: the answers differ between rounds\n");
        return 1;
    }
    std::sort(micros.begin(), micros.end());
    double median = micros[micros.size() / 2];
    std::printf(
        "map: ADT of %zu bytes -> %zu operations: median %.2f us, %.2f to %.2f of %d rounds; %.0f messages/s, "
        "%.1f MB/s on one core\n",
        kMessage.size(), first.operations.size(), median, micros.front(), micros.back(), rounds, 1e6 / median,
        static_cast<double>(kMessage.size()) / median);
    return 0;
}
