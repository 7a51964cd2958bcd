"""Who owns an object, by every state of an owner's stored release, and what postrender may then do with it."""
