//! Broker trading as a guest: the program is `tsz_ext_apps::broker`.
#![no_std]
#![no_main]

tsz_guest::entry!(tsz_ext_apps::broker::program);
