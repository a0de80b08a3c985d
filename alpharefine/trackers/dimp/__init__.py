"""DiMP: DiMP-super, DiMP-50, DiMP-18 and the bundled small one."""
