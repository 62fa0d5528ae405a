/* doctor: a look into a shared object that does not run any of it. */
#include "generator/doctor.h"

#include <link.h> /* ElfW(): of this machine */

typedef ElfW(Ehdr) elf_header;
typedef ElfW(Shdr) elf_section;
typedef ElfW(Sym) elf_symbol;

/* The bytes are hostile: all offsets are checked, and everything is copied out. */
static bool take(struct slice elf, uint64_t offset, void *out, size_t n)
{
    if (offset > elf.n || n > elf.n - offset)
        return false;
    memcpy(out, elf.p + offset, n);
    return true;
}

static bool section(struct slice elf, const elf_header *h, uint64_t i, elf_section *out)
{
    return i < h->e_shnum && h->e_shentsize == sizeof(*out) &&
           take(elf, h->e_shoff + i * sizeof(*out), out, sizeof(*out));
}

static bool is_called(struct slice elf, const elf_section *names, uint64_t at, const char *name)
{
    size_t n = strlen(name) + 1;

    return at < names->sh_size && n <= names->sh_size - at && names->sh_offset <= elf.n &&
           names->sh_offset + at <= elf.n && n <= elf.n - (names->sh_offset + at) &&
           memcmp(elf.p + names->sh_offset + at, name, n) == 0;
}

static int read_symbol(struct slice elf, const elf_header *h, const elf_symbol *s, void *out,
                       size_t n)
{
    elf_section in;

    if (s->st_size < n || !section(elf, h, s->st_shndx, &in) || in.sh_type == SHT_NOBITS ||
        s->st_value < in.sh_addr || s->st_value - in.sh_addr > in.sh_size ||
        n > in.sh_size - (s->st_value - in.sh_addr) || in.sh_offset > elf.n)
        return CC_EPARSE;
    return take(elf, in.sh_offset + (s->st_value - in.sh_addr), out, n) ? CC_OK : CC_EPARSE;
}

int doctor_read_constant(struct slice elf, const char *name, void *out, size_t n)
{
    elf_section symbols, names;
    elf_header h;
    elf_symbol s;

    if (!take(elf, 0, &h, sizeof(h)) || memcmp(h.e_ident, ELFMAG, SELFMAG) != 0 ||
        h.e_ident[EI_CLASS] != (sizeof(void *) == 8 ? ELFCLASS64 : ELFCLASS32) ||
        h.e_ident[EI_DATA] !=
            (__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__ ? ELFDATA2LSB : ELFDATA2MSB) ||
        h.e_type != ET_DYN || h.e_shnum == 0 || h.e_shoff > elf.n)
        return CC_EPARSE;
    for (uint64_t i = 0; i < h.e_shnum; i++) {
        if (!section(elf, &h, i, &symbols))
            return CC_EPARSE;
        if (symbols.sh_type != SHT_DYNSYM || !section(elf, &h, symbols.sh_link, &names) ||
            symbols.sh_offset > elf.n || symbols.sh_size > elf.n - symbols.sh_offset)
            continue;
        for (uint64_t k = 0; k < symbols.sh_size / sizeof(s); k++)
            if (take(elf, symbols.sh_offset + k * sizeof(s), &s, sizeof(s)) &&
                s.st_shndx != SHN_UNDEF && is_called(elf, &names, s.st_name, name))
                return read_symbol(elf, &h, &s, out, n);
    }
    return CC_ENOENT;
}
