#!/usr/bin/env node
import '../dist/scripts/perennial.js';
