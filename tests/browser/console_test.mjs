// The web console in a real browser, over a cluster of three nodes that asks for tokens: what people do with it, by mouse and by the
// keyboard alone, in light and dark; that it asks no other host for anything, breaks no policy, and has no faults that axe finds.
//
// usage: node console_test.mjs PACKAGES_DIR PROGRAM WORK_DIR [--pictures FOLDER]
//
// PACKAGES_DIR has node_modules/playwright-core and axe-core. The browser is $CHROMIUM, or `chromium` of the system.
import "./console_session.mjs";
import "./console_sign_in_tests.mjs";
import "./console_keys_tests.mjs";
import "./console_views_tests.mjs";
import "./console_people_tests.mjs";
