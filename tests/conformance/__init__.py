"""What comes of an adoption, held against what the same chart gives where nothing was before."""
