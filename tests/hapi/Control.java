import ca.uhn.fhir.jpa.api.dao.IFhirSystemDao;
import ca.uhn.fhir.jpa.api.model.ExpungeOptions;
import ca.uhn.fhir.jpa.subscription.match.registry.SubscriptionRegistry;
import ca.uhn.fhir.jpa.topic.ISubscriptionTopicLoader;
import ca.uhn.fhir.jpa.topic.SubscriptionTopicRegistry;
import ca.uhn.fhir.rest.api.server.SystemRequestDetails;
import jakarta.servlet.http.HttpServlet;
import jakarta.servlet.http.HttpServletRequest;
import jakarta.servlet.http.HttpServletResponse;
import java.io.IOException;
import java.util.Set;
import javax.sql.DataSource;
import org.springframework.context.ApplicationContext;
import org.springframework.jdbc.core.JdbcTemplate;

/**
 * What a test may order beside FHIR: POST /control/reset forgets everything, POST /control/topics loads the
 * stored topics now, GET /control/pid tells which process this is.
 */
final class Control extends HttpServlet {
    private final transient ApplicationContext context;

    Control(ApplicationContext context) {
        this.context = context;
    }

    @Override
    protected void doGet(HttpServletRequest request, HttpServletResponse response) throws IOException {
        response.getWriter().print(ProcessHandle.current().pid());
    }

    @Override
    protected void doPost(HttpServletRequest request, HttpServletResponse response) {
        switch (request.getPathInfo()) {
            case "/reset" -> reset();
            case "/topics" -> context.getBean(ISubscriptionTopicLoader.class).forceRefresh();
            default -> response.setStatus(HttpServletResponse.SC_NOT_FOUND);
        }
    }

    /** The changes still to be told are not among "everything". */
    private void reset() {
        context.getBean(SubscriptionRegistry.class).unregisterAllSubscriptions();
        context.getBean(SubscriptionTopicRegistry.class).unregisterAllIdsNotInCollection(Set.of());
        ExpungeOptions everything = new ExpungeOptions().setExpungeEverything(true);
        context.getBean(IFhirSystemDao.class).expunge(everything, new SystemRequestDetails());
        new JdbcTemplate(context.getBean(DataSource.class)).update("DELETE FROM HFJ_RESOURCE_MODIFIED");
    }
}
