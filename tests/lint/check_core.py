#!/usr/bin/env python3
"""Holds the core pure in deed: what its libraries need of others is memory, text, mathematics, containers and status values.

Includes tell what a file says; the symbols that a library leaves undefined tell what it does. So a wall clock, a system call, a lock
or a line of the log that is reached from the core is seen here, by whatever header it came.
Usage: check_core.py NM LIBRARY...    LIBRARY: the archives of the core and of its rooms, all of them. Prints each symbol that is not
allowed, and who needs it; exit status 1 if there is one.
"""
import re
import subprocess
import sys

ALLOWED = [re.compile(pattern) for pattern in (
    # The language: exceptions of the standard library, static objects, virtual functions, assertions.
    r"_Unwind_Resume$|__cxa_\w+$|__gxx_personality_v0$|__dso_handle$|_GLOBAL_OFFSET_TABLE_$|__stack_chk_fail$|__assert_fail$|abort$",
    r"(vtable|typeinfo|typeinfo name) for (std::|__cxxabiv1::)",
    r"operator (new|delete)(\[\])?\(",
    # The last words before abort(): a broken invariant is told on stderr.
    r"fprintf$|fputs$|fwrite$|__fprintf_chk$|stderr$",
    # Memory, text, mathematics.
    r"(mem|str|bcmp)\w*$|(exp|exp2|log|log2|log10|log1p|pow|sqrt|ceil|floor|round|llround|lround|trunc|fmod|ldexp|frexp)f?$",
    # The standard library's containers, strings and exceptions. <iostream> comes with Abseil's headers.
    r"std::(_Rb_tree_\w+|__throw_\w+|allocator<|exception::|nothrow$|ios_base::Init::|__cxx11::(basic_string<|to_string)|__detail::|"
    r"_Hash_bytes|terminate\(|uncaught_exception|bad_\w+::|logic_error::|runtime_error::|length_error::|out_of_range::)",
    r"__libc_single_threaded$",  # whether shared_ptr must count atomically
    # Abseil's status, strings and containers.
    r"(\w+(::\w+)* )?absl::(Status::|StatusCode|Is\w+\(absl::Status|\w+Error\(|internal_statusor::|Cord::|cord_internal::|AlphaNum::|"
    r"StrCat|StrAppend|numbers_internal::|strings_internal::|str_format_internal::|container_internal::|hash_internal::)",
    # Pure functions of the floor below, and what a build with assertions asks of whoever runs an event.
    r"poold::base::(DidYouMean|MustNotBeQuiet)\(",
)]
INLINE_NAMESPACE = re.compile(r"\babsl::(debian\d+|lts_\d+)::")


def symbols(nm, library, *options):
    """The symbols of an archive as pairs of its own name and the one for people."""
    def names(*more):
        listed = subprocess.run([nm, "-p", *options, *more, library], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, check=True)
        # "                 U name", "0000000000000010 T name"; heads of members and empty lines have no such letter.
        return re.findall(r"^[0-9a-f ]{16} [A-Za-z] (.*)$", listed.stdout.decode(), re.MULTILINE)
    return zip(names(), names("-C"), strict=True)


def allowed(name):
    plain = INLINE_NAMESPACE.sub("absl::", name).replace("[abi:cxx11]", "")
    return any(pattern.match(plain) for pattern in ALLOWED)


def main():
    nm, *libraries = sys.argv[1:]
    own = {name for library in libraries for name, _ in symbols(nm, library, "--defined-only")}
    wrong = sorted({f"{library.rsplit('/', 1)[-1]}: {shown}" for library in libraries
                    for name, shown in symbols(nm, library, "-u") if name not in own and not allowed(shown)})
    if wrong:
        print("the core reaches what is not the core's:", *wrong, sep="\n")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
