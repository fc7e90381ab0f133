# Shared by the scripts that build; sourced, from the workspace's root.

# Where cargo puts its output, which settings outside the clone may have moved.
target_directory() {
    cargo metadata --format-version 1 --no-deps |
        sed 's/.*"target_directory":"\([^"]*\)".*/\1/'
}
