// `porta sim` alone, for the programs that break a law on purpose.
#include "app/commands.h"

int main(int argc, char** argv) { return porta::app::commandSim({argv + 1, argv + argc}); }
