"""Message classes, private to this package. Made by `npm run gen`: do not edit."""
