/* The 20 amino acids and the unknown one: their atoms, and where ideal geometry puts these. */
#ifndef AM_MODELS_BLOCKS_AMINO_ACIDS_H
#define AM_MODELS_BLOCKS_AMINO_ACIDS_H

#include <stdint.h>

enum {
    AM_RESIDUES = 21,    /* ARNDCQEGHILKMFPSTWYV, then X, which has no atoms */
    AM_ATOMS = 14,       /* places of a residue's own atoms; the last ones may be empty */
    AM_ATOM_TYPES = 37,  /* all names that atoms have */
    AM_RIGID_GROUPS = 8, /* backbone, pre-omega, phi, psi, chi 1 to 4 */
};

typedef struct am_amino_acids {
    /* Each group's frame within that of the group before it (within the backbone's up to chi 1), as a matrix of
       homogeneous coordinates; where a residue has no such group its rotation and translation are zero. */
    float frames[AM_RESIDUES][AM_RIGID_GROUPS][4][4];
    float positions[AM_RESIDUES][AM_ATOMS][4]; /* homogeneous, in the group's frame, angstroms; zero: no atom */
    float groups[AM_RESIDUES][AM_ATOMS][AM_RIGID_GROUPS]; /* one where the atom belongs to the group, else zero */
    float has_atom[AM_RESIDUES][AM_ATOMS], has_type[AM_RESIDUES][AM_ATOM_TYPES];
    int32_t type_of_atom[AM_RESIDUES][AM_ATOMS], atom_of_type[AM_RESIDUES][AM_ATOM_TYPES]; /* zero: none */
} am_amino_acids;

/* Fills the tables. transformers: models/esm/openfold_utils/residue_constants.py */
void am_amino_acids_fill(am_amino_acids *out);

#endif
