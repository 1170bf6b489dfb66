import {start as ask} from "./ask.js";
import {start as device} from "./device.js";
import {start as later} from "./later.js";
import {start as many} from "./many.js";
import {start as trust} from "./trust.js";

ask();
later();
many();
trust();
device();
