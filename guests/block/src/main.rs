//! Block trades as a guest: the program is `tsz_ext_apps::block`.
#![no_std]
#![no_main]

tsz_guest::entry!(tsz_ext_apps::block::program);
