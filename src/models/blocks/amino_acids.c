#include "models/blocks/amino_acids.h"

#include <math.h>
#include <string.h>

static const char letters[] = "ARNDCQEGHILKMFPSTWYV";

/* Names of atoms in the order of the 37-atom representation; the last, OXT, is in no residue. */
typedef enum atom_type {
    N,
    CA,
    C,
    CB,
    O,
    CG,
    CG1,
    CG2,
    OG,
    OG1,
    SG,
    CD,
    CD1,
    CD2,
    ND1,
    ND2,
    OD1,
    OD2,
    SD,
    CE,
    CE1,
    CE2,
    CE3,
    NE,
    NE1,
    NE2,
    OE1,
    OE2,
    CH2,
    NH1,
    NH2,
    OH,
    CZ,
    CZ2,
    CZ3,
    NZ,
} atom_type;

typedef struct atom {
    char residue;
    atom_type type;
    int group;
    double position[3];
} atom;

static const atom atoms[] = {
#define AM_ATOM(residue, type, group, x, y, z) {#residue[0], type, group, {x, y, z}},
#include "models/blocks/amino_acids.def"
#undef AM_ATOM
};

enum { ATOM_COUNT = sizeof atoms / sizeof *atoms };

/* The first atom of a residue in a rigid group; null where it has none. */
static const atom *first_in_group(char residue, int group)
{
    for (int i = 0; i < ATOM_COUNT; i++)
        if (atoms[i].residue == residue && atoms[i].group == group) return &atoms[i];
    return NULL;
}

static const double *place_of(char residue, atom_type type)
{
    for (int i = 0; i < ATOM_COUNT; i++)
        if (atoms[i].residue == residue && atoms[i].type == type) return atoms[i].position;
    return NULL;
}

static double dot(const double a[3], const double b[3])
{
    return a[0] * b[0] + a[1] * b[1] + a[2] * b[2];
}

static void normalize(double a[3])
{
    double length = sqrt(dot(a, a));
    for (int i = 0; i < 3; i++) a[i] /= length;
}

/* The frame at `origin` whose x axis points along `x`, `y` lying in its xy plane. */
static void make_frame(const double x[3], const double y[3], const double origin[3], float out[4][4])
{
    double e[3][3];
    memcpy(e[0], x, sizeof e[0]);
    normalize(e[0]);
    double along = dot(y, e[0]);
    for (int i = 0; i < 3; i++) e[1][i] = y[i] - along * e[0][i];
    normalize(e[1]);
    for (int i = 0; i < 3; i++) e[2][i] = e[0][(i + 1) % 3] * e[1][(i + 2) % 3] - e[0][(i + 2) % 3] * e[1][(i + 1) % 3];
    for (int row = 0; row < 3; row++) {
        for (int axis = 0; axis < 3; axis++) out[row][axis] = (float)e[axis][row];
        out[row][3] = (float)origin[row];
    }
}

static void identity(float out[4][4])
{
    for (int i = 0; i < 4; i++) out[i][i] = 1;
}

static void difference(const double a[3], const double b[3], double out[3])
{
    for (int i = 0; i < 3; i++) out[i] = a[i] - b[i];
}

/* Frames of phi, psi and chi 1 hang on the backbone's atoms N, CA (its origin), C and CB; those of the further chi on
   the first atom of the group before, which their axis reaches from that group's origin. */
static void fill_frames(char residue, float frames[AM_RIGID_GROUPS][4][4])
{
    static const double right[3] = {1, 0, 0}, left[3] = {-1, 0, 0};
    const double *n = place_of(residue, N), *ca = place_of(residue, CA), *c = place_of(residue, C);
    double x[3], y[3];
    identity(frames[0]);
    identity(frames[1]);
    difference(n, ca, x);
    make_frame(x, right, n, frames[2]);
    difference(c, ca, x);
    difference(ca, n, y);
    make_frame(x, y, c, frames[3]);
    for (int group = 4; group < AM_RIGID_GROUPS && first_in_group(residue, group); group++) {
        const double *end = group == 4 ? place_of(residue, CB) : first_in_group(residue, group - 1)->position;
        difference(end, group == 4 ? ca : (const double[3]){0, 0, 0}, x);
        difference(n, ca, y);
        make_frame(x, group == 4 ? y : left, end, frames[group]);
    }
}

static void fill_atom(am_amino_acids *out, int residue, int place, const atom *a)
{
    for (int i = 0; i < 3; i++) out->positions[residue][place][i] = (float)a->position[i];
    out->positions[residue][place][3] = 1;
    out->groups[residue][place][a->group] = 1;
    out->has_atom[residue][place] = 1;
    out->has_type[residue][a->type] = 1;
    out->type_of_atom[residue][place] = (int32_t)a->type;
    out->atom_of_type[residue][a->type] = place;
}

void am_amino_acids_fill(am_amino_acids *out)
{
    int next = 0;
    memset(out, 0, sizeof *out);
    for (int residue = 0; residue < AM_RESIDUES; residue++) {
        for (int group = 0; group < AM_RIGID_GROUPS; group++) out->frames[residue][group][3][3] = 1;
        if (!letters[residue]) continue;
        fill_frames(letters[residue], out->frames[residue]);
        for (int place = 0; next < ATOM_COUNT && atoms[next].residue == letters[residue]; place++)
            fill_atom(out, residue, place, &atoms[next++]);
    }
}
