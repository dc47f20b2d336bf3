/* Stands in for AlexeyAB's libdarknet.so where the suite's own tests need what Debian's is not: his two
   functions, his BatchNorm, and the bug of his AVX maxpool.
   A cfg with [maxpool] gives a 5x5 maximum of stride 1 on 13x13; built with -DBROKEN, the columns to the
   right of the image are read as those of the next row, as lanes without a border check do.
   Any other cfg is one 1x1 convolution of one channel with BatchNorm; EPSILON is added to the variance. */
#include <math.h>
#include <stdio.h>
#include <string.h>

#ifndef EPSILON
#define EPSILON 1e-5f
#endif
enum { HEADER = 20, MOST = 16 };
static int width, height, filters, pooling;
static float stored[5 * MOST], output[MOST * 169];

void *load_network_custom(char *cfg, char *weights, int clear, int batch) {
    char line[256];
    FILE *file = fopen(cfg, "r");
    if (!file) return 0;
    pooling = 0;
    while (fgets(line, sizeof line, file)) {
        sscanf(line, "width=%d", &width);
        sscanf(line, "height=%d", &height);
        sscanf(line, "filters=%d", &filters);
        pooling |= !strncmp(line, "[maxpool]", 9);
    }
    fclose(file);
    if (pooling) return stored;
    file = fopen(weights, "rb");
    if (!file || fseek(file, HEADER, SEEK_SET)) return 0;
    if (fread(stored, sizeof(float), 5 * filters, file) != (size_t)(5 * filters)) return 0;
    fclose(file);
    return stored;
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
    const float *bias = stored, *scale = bias + filters, *mean = scale + filters;
    const float *variance = mean + filters, *weight = variance + filters;
    if (pooling)
        for (int i = 0; i < 169; ++i) output[i] = maximum(input, i / 13, i % 13);
    else
        for (int f = 0; f < filters; ++f)
            for (int i = 0; i < width * height; ++i)
                output[f * width * height + i] =
                    (weight[f] * input[i] - mean[f]) / sqrtf(variance[f] + EPSILON) * scale[f] + bias[f];
    return output;
}
