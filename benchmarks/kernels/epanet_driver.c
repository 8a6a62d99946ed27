/* EPANET opened once and called in a loop: scenarios come from a file, times go to standard output.
 *
 *   driver LIBRARY NETWORK SCENARIOS COUNT FIRST_FLOWS ACCURACY RESULT
 *
 * SCENARIOS: doubles, for each of COUNT scenarios the demands of the junctions that have one, then the speeds of the
 * pumps, in the order of the network file. FIRST_FLOWS: 10 to begin each solve with EPANET's own first flows, 0 with
 * those of the scenario before. Every line "run" on standard input is answered by the wall time and processor time of
 * all scenarios [s], the mean number of trials and the number of failed scenarios; "save" writes the flows of all links
 * of the last run to RESULT. A timed scenario is: set its numbers, solve, read all heads and flows.
 */
#include <dlfcn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { NODE_COUNT = 0, LINK_COUNT = 2, BASE_DEMAND = 1, HEAD = 10, FLOW = 8, INITIAL_SETTING = 5 };
enum { JUNCTION = 0, PUMP = 2, TRIALS = 0, ACCURACY = 1, ITERATIONS = 0, FIRST_ERROR = 101 };

typedef void *Project;

static double seconds(clockid_t clock) {
    struct timespec now;
    clock_gettime(clock, &now);
    return now.tv_sec + 1e-9 * now.tv_nsec;
}

#define EPANET(name, ...) int (*name)(__VA_ARGS__) = (int (*)(__VA_ARGS__))dlsym(library, #name)

int main(int count, char **argument) {
    if (count != 8) return 2;
    void *library = dlopen(argument[1], RTLD_NOW);
    if (!library) {
        fprintf(stderr, "%s\n", dlerror());
        return 3;
    }
    EPANET(EN_createproject, Project *);
    EPANET(EN_open, Project, const char *, const char *, const char *);
    EPANET(EN_getcount, Project, int, int *);
    EPANET(EN_getnodevalue, Project, int, int, double *);
    EPANET(EN_setnodevalue, Project, int, int, double);
    EPANET(EN_getlinkvalue, Project, int, int, double *);
    EPANET(EN_setlinkvalue, Project, int, int, double);
    EPANET(EN_getnodetype, Project, int, int *);
    EPANET(EN_getlinktype, Project, int, int *);
    EPANET(EN_openH, Project);
    EPANET(EN_initH, Project, int);
    EPANET(EN_runH, Project, long *);
    EPANET(EN_getstatistic, Project, int, double *);
    EPANET(EN_setoption, Project, int, double);
    EPANET(EN_setstatusreport, Project, int);

    Project project;
    int nodes, links, junctions = 0, pumps = 0, scenarios = atoi(argument[4]), first_flows = atoi(argument[5]);
    EN_createproject(&project);
    int error = EN_open(project, argument[2], "/dev/null", "");
    if (error >= FIRST_ERROR) {
        fprintf(stderr, "EPANET does not read the network: error %d\n", error);
        return 4;
    }
    EN_setstatusreport(project, 0);
    if (EN_setoption(project, ACCURACY, atof(argument[6])) || EN_setoption(project, TRIALS, 500)) {
        fprintf(stderr, "EPANET does not take the accuracy\n");
        return 5;
    }
    EN_getcount(project, NODE_COUNT, &nodes);
    EN_getcount(project, LINK_COUNT, &links);
    int *demanded = malloc(sizeof(int) * (nodes + 1)), *pump = malloc(sizeof(int) * (links + 1));
    for (int node = 1; node <= nodes; node++) {
        int type;
        double demand;
        EN_getnodetype(project, node, &type);
        EN_getnodevalue(project, node, BASE_DEMAND, &demand);
        if (type == JUNCTION && demand != 0.0) demanded[junctions++] = node;
    }
    for (int link = 1; link <= links; link++) {
        int type;
        EN_getlinktype(project, link, &type);
        if (type == PUMP) pump[pumps++] = link;
    }

    int width = junctions + pumps;
    double *numbers = malloc(sizeof(double) * scenarios * width);
    double *flows = malloc(sizeof(double) * scenarios * links), *heads = malloc(sizeof(double) * scenarios * nodes);
    FILE *file = fopen(argument[3], "rb");
    if (!file || fread(numbers, sizeof(double) * width, scenarios, file) != (size_t)scenarios || fgetc(file) != EOF) {
        fprintf(stderr, "the scenarios do not fit %d demands and %d pumps\n", junctions, pumps);
        return 6;
    }
    fclose(file);
    if ((error = EN_openH(project)) >= FIRST_ERROR) {
        fprintf(stderr, "EPANET does not open its hydraulics: error %d\n", error);
        return 7;
    }
    EN_initH(project, 10);

    char line[16];
    while (fgets(line, sizeof line, stdin)) {
        if (!strncmp(line, "save", 4)) {
            file = fopen(argument[7], "wb");
            if (!file || fwrite(flows, sizeof(double) * links, scenarios, file) != (size_t)scenarios) return 8;
            fclose(file);
            printf("saved\n");
            fflush(stdout);
            continue;
        }
        double wall = seconds(CLOCK_MONOTONIC), processor = seconds(CLOCK_PROCESS_CPUTIME_ID), trials = 0.0;
        int failed = 0;
        for (int scenario = 0; scenario < scenarios; scenario++) {
            const double *given = numbers + (size_t)scenario * width;
            double *flow = flows + (size_t)scenario * links, *head = heads + (size_t)scenario * nodes, iterations;
            long time;
            for (int i = 0; i < junctions; i++) EN_setnodevalue(project, demanded[i], BASE_DEMAND, given[i]);
            for (int i = 0; i < pumps; i++) EN_setlinkvalue(project, pump[i], INITIAL_SETTING, given[junctions + i]);
            EN_initH(project, first_flows);
            if (EN_runH(project, &time) >= FIRST_ERROR) failed++;
            for (int node = 1; node <= nodes; node++) EN_getnodevalue(project, node, HEAD, head + node - 1);
            for (int link = 1; link <= links; link++) EN_getlinkvalue(project, link, FLOW, flow + link - 1);
            EN_getstatistic(project, ITERATIONS, &iterations);
            trials += iterations;
        }
        printf("%.9f %.9f %.6f %d\n", seconds(CLOCK_MONOTONIC) - wall,
               seconds(CLOCK_PROCESS_CPUTIME_ID) - processor, trials / scenarios, failed);
        fflush(stdout);
    }
    return 0;
}
