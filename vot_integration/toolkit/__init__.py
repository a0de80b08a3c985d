"""The official VOT toolkit behind one interface; no other room imports `vot`."""
