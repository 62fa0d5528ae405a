/* cc-gen: turns API projects into HAProxy configuration and the agent's snapshot. */
#include "generator/cli.h"

int main(int argc, char **argv)
{
    return cli_main(argc, argv);
}
