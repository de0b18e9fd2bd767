// In place of a module that a dependency loads but that no sidecar reaches.
