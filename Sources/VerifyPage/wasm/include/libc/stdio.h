// Asked for by libsodium, which uses nothing of it here.
