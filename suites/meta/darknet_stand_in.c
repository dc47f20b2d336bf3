/* Stands in for libdarknet.so in the suite's own tests: it has the two functions that are called.
   A cfg that ends in [maxpool] gives a 5x5 maximum of stride 1 on 13x13; built with -DBROKEN, the columns
   to the right of the image are read as those of the next row, as lanes without a border check do.
   Any other cfg gives its input times the number of its sections. */
#include <stdio.h>
#include <string.h>

static int sections, pooling;
static float output[4096];

void *load_network_custom(char *cfg, char *weights, int clear, int batch) {
    char line[256];
    FILE *file = fopen(cfg, "r");
    if (!file) return 0;
    sections = pooling = 0;
    while (fgets(line, sizeof line, file))
        if (line[0] == '[') { ++sections; pooling = !strncmp(line, "[maxpool]", 9); }
    fclose(file);
    puts("a line that Darknet prints");
    return &sections;
}

static float maximum(const float *x, int row, int column) {
    float best = -1e30f;
    for (int r = row - 2; r <= row + 2; ++r)
        for (int c = column - 2; c <= column + 2; ++c) {
            int inside = r >= 0 && r < 13 && c >= 0;
#ifdef BROKEN
            inside = inside && r * 13 + c < 169;
#else
            inside = inside && c < 13;
#endif
            if (inside && x[r * 13 + c] > best) best = x[r * 13 + c];
        }
    return best;
}

float *network_predict_ptr(void *net, float *input) {
    for (int i = 0; i < 169; ++i)
        output[i] = pooling ? maximum(input, i / 13, i % 13) : sections * input[i];
    return output;
}
