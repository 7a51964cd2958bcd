"""Programs the tests need and no package index has: built with Go, once, into a cache folder."""
